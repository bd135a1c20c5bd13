"""The acts: staged, shadow, the gate, cutover, a fault, back, forward again; each asserts what it must have left.

In: a stage on which nothing is deployed. Out: the tale. Raises DrillFailed at the first assertion that does not hold.
"""

import json
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from alchemiser_cli.formats import count
from alchemiser_cli.stage.guards import trader_of
from alchemiser_cli.stored_runs import read_run
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.records.parity import Cause, Parity, Verdict
from alchemiser_common.settings import ScheduleSettings
from alchemiser_readmodel.runs import RunSummary
from alchemiser_simulator.control.faults import Delay, Patch, When
from alchemiser_simulator.control.lies import Operation
from alchemiser_simulator.control.models import OrderState
from alchemiser_trading.account.authority import read_authority
from alchemiser_trading.books.reconciling import compare_account
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.runs.parity.verdicts import known_verdict
from deploy.template import ROOT
from drill.script import Script
from drill.stage import ACCOUNT, BAD, GOOD, DrillStage
from drill.tale import CycleSeen, GateSeen, OrderSeen, RunSeen, Tale
from local.functions import Answered

CASES = ROOT / "tests" / "fixtures" / "cases"
CASE = "crash-after-fall"
"""Recorded with the strategies below; no price of it was adjusted since."""
ALLOCATIONS = {"klm": 0.25, "nuclear": 0.25, "nuclear-volatility": 0.25, "tecl": 0.25}
_SCHEDULED = {"monolith": {"monolith"}, "staged": {"monolith"}, "shadow": {"monolith", "data"}}
_OPEN = {"new", "accepted", "partially_filled", "pending_new", "pending_cancel"}
_VISIBILITY = 970.0
"""Seconds in which a decision that a killed function had comes again."""
_PATIENCE = 60.0


@dataclass(frozen=True)
class Expected:
    """What a cycle must come to."""

    verdict: Verdict | None = None
    cause: Cause | None = None
    alarms: Collection[str] = ()
    seeded: str = ""


@dataclass
class Play:
    """The drill at work."""

    stage: DrillStage
    script: Script
    tale: Tale
    phase: str = "monolith"
    _known_orders: set[str] = field(default_factory=set)
    """At the exchange before the cycle."""
    _blockers_told: Sequence[str] = ()
    """Why `deploy` refused last."""
    _fired_before: Collection[str] = ()
    """Alarms of the cycle that were over before its end."""

    # ------------------------------------------------------------------------------------------ the story
    def all(self) -> None:
        """Every act."""
        self.staged()
        self.shadow()
        self.cutover()
        self.fault()
        self.back()
        self.again()
        self.tale.end()

    def staged(self) -> None:
        """First deployment, then the modular functions beside the monolith, asked with recorded events."""
        tale = self.tale
        tale.begin("staged")
        self.deploy("--tag", GOOD, "--parameter", f"StrategyAllocations={json.dumps(ALLOCATIONS)}", phase=None)
        self.give(Pipeline.MONOLITH)
        self.go("staged")
        self.stage.finish()
        for service in ("data", "strategy", "trading"):
            done = self.stage.run("invoke", "dev", service, "--case", str(CASES / CASE), "--json")
            tale.equal(
                done.code, 0, f"{service} answers the recorded case {CASE} as it was recorded: {done.out[-600:]}"
            )
        tale.check(not self.stage.control.state().orders, "recorded events place no order")
        tale.equal(self.stage.platform.fed(), (), "no queue feeds a function in phase staged")
        tale.say(f"three functions answer the recorded case {CASE} as recorded, no order")

    def shadow(self) -> None:
        """Both pipelines on every session; the gate opens after enough of them were alike, and not before."""
        tale, script = self.tale, self.script
        tale.begin("shadow")
        self.go("shadow")
        self.refused("a gate without a single day")
        for number in range(1, script.shadow + 1):
            if number == script.other_code:
                self.other_code()
            elif number == script.other_data:
                self.other_data()
            else:
                self.cycle(Expected(Verdict.IDENTICAL))
            if number in {script.other_code, script.opens - 1}:
                self.refused(f"a gate after {number} cycles")
            if number == script.other_code:
                self.mend_the_code()
            alike = (
                0 if number == script.other_code else number - (script.other_code if number > script.other_code else 0)
            )
            self.look("cutover", opened=number >= script.opens, days=alike)
        verdicts = [cycle.verdict for cycle in tale.cycles]
        said = ", ".join(f"{verdicts.count(kind)} {kind}" for kind in dict.fromkeys(verdicts))
        tale.say(f"{script.shadow} cycles ({said}), gate open after cycle {script.opens}")

    def other_data(self) -> None:
        """The modular side reads one symbol's history adjusted otherwise; proven to be the data's doing."""
        changed = Operation(path="bars.SPY.*.c", do="multiply", value=1.0001)
        patch = Patch(match=When(method="GET", path="^/v2/stocks/bars"), operations=(changed,))
        rule = self.stage.control.add_fault(patch)
        expected = Expected(Verdict.EQUIVALENT, Cause.DATA, seeded="the modular side reads SPY's bars 0.01 % higher")
        self.cycle(expected, after_data=lambda: self.stage.control.remove_fault(rule.number))
        found = self.tale.cycles[-1]
        self.tale.check("SPY" in found.detail, "the verdict on other data names the symbol", found.detail)

    def other_code(self) -> None:
        """A strategy build with one threshold changed is deployed; the first cycle names the condition."""
        self.deploy("--service", "strategy", "--tag", BAD, phase=None)
        seeded = "a strategy build whose threshold of TQQQ in tecl is 78.5 instead of 79"
        self.cycle(Expected(Verdict.DIFFERENT, Cause.CODE, alarms={"ParityBroken"}, seeded=seeded))
        found = self.tale.cycles[-1]
        self.tale.check("78.5" in found.detail, "the verdict on other code names the threshold", found.detail)

    def mend_the_code(self) -> None:
        """The build before is put live again by the real command."""
        done = self.stage.run("rollback", "dev", "strategy", "--yes")
        self.tale.equal(done.code, 0, f"rollback of the strategy build: {done.out}{done.err}")
        self.settle()

    def cutover(self) -> None:
        """Through the open gate; from then on the modular pipeline trades alone."""
        tale = self.tale
        tale.begin("cutover")
        before = self.stage.control.state().equity
        self.go("cutover")
        tale.equal(self.stage.platform.watched(), "trading", "the watch asks the function that trades")
        self.give(Pipeline.MODULAR)
        for _ in range(self.script.cutover - 1):
            self.cycle(Expected())
        tale.say(
            f"gate passed, {count(self.script.cutover - 1, 'cycle')}, equity {before:,.0f} to {self.equity():,.0f}"
        )

    def fault(self) -> None:
        """Trading is killed between two orders; nothing is lost or doubled, and the step back waits for the run."""
        tale = self.tale
        tale.begin("a fault in trading")
        expected = Expected(alarms={"TradingErrors", "SlowRun"}, seeded="trading is killed after its first order")
        self.cycle(expected, killed=True)
        tale.say(
            "killed after its first order, went on by itself, no order lost or doubled; no way past an unfinished run"
        )

    def back(self) -> None:
        """To the monolith, at once and without a gate."""
        tale = self.tale
        tale.begin("back to the monolith")
        self.go("shadow")
        self.give(Pipeline.MONOLITH)
        for _ in range(self.script.back):
            self.cycle(Expected(Verdict.IDENTICAL))
        tale.say(f"{count(self.script.back, 'cycle')}, the monolith trades and the modular pipeline agrees")

    def again(self) -> None:
        """Forward again: the days count anew, so somebody has to answer for it."""
        tale = self.tale
        tale.begin("forward again")
        found = self.refused("a gate that counts anew after the way back")
        missing = f"{self.script.back} of {self.script.days_alike} trading days"
        if self.script.back < self.script.days_alike:
            tale.check(missing in found, "the gate counts the days since the way back", found)
        tale.check("latency budget" in found, "the gate knows that a run was late", found)
        reason = "drill: the fault is understood, the run was whole"
        self.go("cutover", "--override", reason)
        audit = json.loads(self.stage.on_stage("audit", "--json").out)
        kept = [entry for entry in audit if entry["reason"] == reason]
        tale.equal(len(kept), 1, "the override is in the audit once")
        tale.check("in spite of" in kept[0]["what"], "the audit says past what", kept[0]["what"])
        self.give(Pipeline.MODULAR)
        for _ in range(self.script.again):
            self.cycle(Expected())
        tale.say(f"refused, then answered for and kept in the audit; {count(self.script.again, 'cycle')}")

    # ------------------------------------------------------------------------------------------ the operator
    def deploy(self, *arguments: str, phase: str | None) -> None:
        """`alchemiser deploy`, which must succeed."""
        step = () if phase is None else ("--phase", phase)
        done = self.stage.run("deploy", "dev", *step, *arguments, "--yes")
        self.tale.equal(done.code, 0, f"deploy {' '.join((*step, *arguments))}: {done.out}{done.err}")
        self.settle()

    def go(self, phase: str, *arguments: str) -> None:
        """The stage into another phase."""
        before = self.phase
        self.deploy(*arguments, phase=phase)
        self.phase = phase
        if phase == "cutover":
            past = "; ".join(self._blockers_told) if arguments else ""
            self.tale.gate.append(
                GateSeen(len(self.tale.cycles), f"{before} to {phase}", "deploy", True, [past] if past else [])
            )
        told = json.loads(self.stage.run("phase", "status", "--stage", "dev", "--json").out)
        self.tale.equal(told["phase"], phase, "phase status says where the stage is")

    def settle(self) -> None:
        """After a deployment: moto makes alarms as firing, CloudWatch as quiet."""
        phase = self.stage.moto.stage().deployed().phase
        self.stage.platform.set_alarms(phase)

    def give(self, pipeline: Pipeline) -> None:
        """Authority by the real command."""
        done = self.stage.on_stage("authority", "--set", pipeline.value, "--reason", f"drill: phase {self.phase}")
        self.tale.equal(done.code, 0, f"authority to {pipeline.value}: {done.out}{done.err}")
        self.tale.phases.append((len(self.tale.cycles), self.phase, pipeline.value))

    def refused(self, what: str) -> str:
        """`deploy --phase cutover` must be refused, and change nothing; what it says."""
        done = self.stage.run("deploy", "dev", "--phase", "cutover", "--yes")
        said = f"{done.out}{done.err}"
        ended = "it was carried out" if done.code == 0 else said[-400:]
        self.tale.check(done.code == 1, f"deploy refuses {what}", ended)
        self.tale.check("is blocked" in said, f"deploy says that the gate stops it ({what})", said[-400:])
        self.tale.equal(
            self.stage.moto.stage().deployed().phase, self.phase, "a refused step leaves the phase as it was"
        )
        text = " ".join(said.partition("is blocked: ")[2].partition(". Mend that")[0].split())
        self._blockers_told = tuple(text.split("; "))
        self.tale.gate.append(
            GateSeen(len(self.tale.cycles), f"{self.phase} to cutover", "deploy", False, self._blockers_told)
        )
        return text

    def look(self, target: str, *, opened: bool, days: int) -> None:
        """`phase check`, which asks what deploy asks."""
        done = self.stage.run("phase", "check", "--stage", "dev", "--json")
        told = json.loads(done.out)
        found = [blocker["says"] for blocker in told["blockers"]]
        self.tale.gate.append(
            GateSeen(len(self.tale.cycles), f"{self.phase} to {target}", "phase check", told["open"], found)
        )
        self.tale.equal(
            (told["to"], told["open"]), (target, opened), f"phase check after {len(self.tale.cycles)} cycles: {found}"
        )
        counted = f"{days} of {self.script.days_alike} trading days"
        if not opened:
            self.tale.check(any(counted in line for line in found), f"the gate counts {counted}", found)

    # ------------------------------------------------------------------------------------------ a cycle
    def cycle(self, expected: Expected, *, after_data: Callable[[], None] = lambda: None, killed: bool = False) -> None:
        """The next session's cycle as the phase schedules it, and everything that must hold after it."""
        stage, tale, platform = self.stage, self.tale, self.stage.platform
        due = stage.exchange.next_decision(ScheduleSettings())
        stage.control.set_now(due)
        self._known_orders = {order.id for order in stage.control.state().orders}
        scheduled = set(platform.scheduled())
        tale.equal(scheduled, _SCHEDULED.get(self.phase, {"data"}), f"phase {self.phase} schedules the right functions")
        if "data" in scheduled:
            self.answered(platform.fire("data", due).outcome, "data takes its trigger")
            after_data()
            if killed:
                self.kill_trading(due)
            else:
                deliveries = platform.deliver_all()
                tale.equal([item.done for item in deliveries], [True, True], f"both messages are handled: {deliveries}")
        if "monolith" in scheduled:
            self.answered(platform.fire("monolith", due).outcome, "the monolith takes its trigger")
        self.answered(platform.watch().outcome, f"the watch of {platform.watched()} answers")
        self.after(due, expected)

    def answered(self, outcome: object, what: str) -> None:
        """A function returned."""
        self.tale.check(isinstance(outcome, Answered), what, outcome)

    def kill_trading(self, due: datetime) -> None:
        """Trading is killed once an order of its is at the exchange; then its message comes again."""
        stage, tale, platform = self.stage, self.tale, self.stage.platform
        delivery = platform.deliver("strategy")
        tale.check(delivery is not None and delivery.done, "strategy decides", delivery)
        with ThreadPoolExecutor(1) as pool:
            working = pool.submit(platform.deliver, "trading")
            deadline = time.monotonic() + _PATIENCE
            while not self.new_orders() and not working.done() and time.monotonic() < deadline:
                time.sleep(0.02)
            tale.check(bool(self.new_orders()), "trading sends its first order within a minute")
            rule = stage.control.add_fault(Delay(match=When(method="GET", path="^/v2/"), seconds=20))
            (container,) = platform.containers("alchemiser-dev-trading")
            container.kill()
            delivery = working.result(_PATIENCE)
            stage.control.remove_fault(rule.number)
        tale.check(delivery is not None and not delivery.done, "the killed function's message is not handled", delivery)
        blocked = stage.run("deploy", "dev", "--phase", "shadow", "--override", "drill: never past a run", "--yes")
        said = f"{blocked.out}{blocked.err}"
        waits = blocked.code == 1 and "has not ended" in " ".join(said.split())
        tale.check(waits, "no step while a run has not ended, override or not", said[-400:])
        orders = len(self.new_orders())
        platform.read_metrics()
        self._fired_before = platform.fired(self.phase, due)
        platform.wait_out_the_visibility(_VISIBILITY)
        again = platform.deliver("trading")
        tale.check(again is not None and again.done, "the run goes on with the next delivery", again)
        tale.check(len(self.new_orders()) >= orders, "what was sent before the kill is still known")

    def new_orders(self) -> list[OrderState]:
        """The exchange's orders since the cycle began."""
        return [order for order in self.stage.control.state().orders if order.id not in self._known_orders]

    # ------------------------------------------------------------------------------------------ what must hold
    def after(self, due: datetime, expected: Expected) -> None:
        """Account, books, orders, verdict, alarms and dead letters of the cycle that was due; into the tale."""
        stage, tale, store = self.stage, self.tale, self.stage.moto.store()
        cycle, trader = cycle_id(ACCOUNT, due), trader_of(self.phase)
        authority = read_authority(store, ACCOUNT)
        holder = "nobody" if authority is None else authority.pipeline.value
        tale.equal(holder, trader.value, f"authority is the {trader.value} pipeline's in phase {self.phase}")
        runs = {pipeline: read_run(store, run_id(cycle, pipeline)) for pipeline in Pipeline}
        new, verdict = self.new_orders(), known_verdict(store, cycle)
        platform = stage.platform
        platform.read_metrics()
        dead = platform.dead_letters()
        fired = sorted({*platform.fired(self.phase, due), *self._fired_before})
        self._fired_before = ()
        tale.cycles.append(
            CycleSeen(
                number=len(tale.cycles) + 1,
                act=tale.act.number,
                phase=self.phase,
                due=due,
                authority=holder,
                runs=[_seen(pipeline, run) for pipeline, run in runs.items() if run is not None],
                verdict="" if verdict is None else verdict.verdict.value,
                cause="" if verdict is None or verdict.cause is None else verdict.cause.value,
                detail="" if verdict is None else verdict.detail,
                equity=self.equity(),
                orders=[_filled(order) for order in new if order.filled_qty],
                alarms=fired,
                seeded=expected.seeded,
            )
        )
        self.verdict_is(verdict, expected)
        self.runs_are(runs, trader)
        self.orders_are_of(run_id(cycle, trader), new)
        found = compare_account(store, stage.exchange.broker, ACCOUNT, due)
        tale.check(found.agrees, "the books are what the account holds", found)
        tale.equal(fired, sorted(expected.alarms), "the alarms that went off")
        tale.equal(dead, 0, "no dead letters")
        self.counted_are(due, runs)
        platform.set_alarms(self.phase)
        tale.note(
            f"cycle {len(tale.cycles)} of {self.script.cycles}, {due:%Y-%m-%d}: {tale.cycles[-1].verdict or 'traded'}"
        )

    def verdict_is(self, verdict: Parity | None, expected: Expected) -> None:
        """The cycle has the verdict that it must have, and none where nothing is compared."""
        found = None if verdict is None else verdict.verdict
        said = "" if verdict is None else f"; it says: {verdict.detail}"
        wanted = "no verdict" if expected.verdict is None else f"the verdict is {expected.verdict.value}"
        self.tale.check(found is expected.verdict, wanted, f"{None if found is None else found.value}{said}")
        if expected.cause is not None and verdict is not None:
            self.tale.check(verdict.cause is expected.cause, f"the cause is {expected.cause.value}", verdict)

    def runs_are(self, runs: dict[Pipeline, RunSummary | None], trader: Pipeline) -> None:
        """Whoever trades completed its run; the shadow planned and sent nothing; nobody else ran."""
        for pipeline, run in runs.items():
            status = "no run" if run is None else run.status
            reason = "" if run is None else run.reason
            if pipeline is trader:
                self.tale.check(
                    status == RunStatus.COMPLETED.value, f"the {pipeline.value} run completed", f"{status}: {reason}"
                )
            elif self.phase == "shadow":
                self.tale.check(
                    status == RunStatus.SHADOWED.value, f"the {pipeline.value} run only planned", f"{status}: {reason}"
                )
                placed = 0 if run is None or run.report is None else run.report.orders_placed
                self.tale.equal(placed, 0, f"the {pipeline.value} shadow placed nothing")
            else:
                self.tale.equal(status, "no run", f"the {pipeline.value} pipeline does nothing in phase {self.phase}")

    def orders_are_of(self, run: UUID, new: Sequence[OrderState]) -> None:
        """Every order was written down first by the run that may trade, once; none is open; no leg got more."""
        journal = Journal.load(self.stage.moto.store(), run)
        self.tale.check(journal is not None, "the trading run has a journal")
        assert journal is not None
        known = {intent.client_order_id for intent in journal.intents()}
        ids = [order.client_order_id for order in new]
        self.tale.check(set(ids) <= known, "each order at the exchange is the trader's", set(ids) - known)
        self.tale.equal(len(set(ids)), len(ids), "no order was placed twice")
        self.tale.check(not [order for order in new if order.status in _OPEN], "no order is left open")
        wanted: dict[tuple[str, str], Decimal] = {}
        for leg in journal.required_plan().legs:
            wanted[leg.symbol, leg.side.value] = leg.quantity
        filled: dict[tuple[str, str], Decimal] = {}
        for order in new:
            key = (order.symbol, order.side)
            filled[key] = filled.get(key, Decimal(0)) + order.filled_qty
        more = {key: quantity for key, quantity in filled.items() if quantity > wanted.get(key, Decimal(0))}
        self.tale.check(not more, "no leg got more than its plan", more)

    def counted_are(self, due: datetime, runs: dict[Pipeline, RunSummary | None]) -> None:
        """The containers' own metric lines count each run's end once."""
        for pipeline, run in runs.items():
            ends = [
                point.value
                for point in self.stage.platform.points
                if point.series.name == "RunEnded"
                and ("Pipeline", pipeline.value) in point.series.dimensions
                and point.at >= due
            ]
            self.tale.equal(
                sum(ends), 0.0 if run is None else 1.0, f"metric lines count the end of the {pipeline.value} run"
            )

    def equity(self) -> Decimal:
        """Of the account, at the exchange."""
        return self.stage.control.state().equity


def _seen(pipeline: Pipeline, run: RunSummary) -> RunSeen:
    return RunSeen(pipeline.value, run.status, 0 if run.report is None else run.report.orders_placed, run.reason)


def _filled(order: OrderState) -> OrderSeen:
    return OrderSeen(order.symbol, order.side, order.filled_qty, order.filled_cost / order.filled_qty)
