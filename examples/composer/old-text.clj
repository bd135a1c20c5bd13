; The same as symphony text of an old export: a bare `daily`, and the window of a filter in quotes without its name.
(defsymphony "Dip, leader and cash"
 {:asset-class "EQUITIES", :rebalance-frequency daily}
 (if (< (rsi "QQQ" {:window 10}) 30)
  [(asset "TQQQ" "ProShares UltraPro QQQ")]
  [(weight-specified
    0.7 (filter (cumulative-return "60") (select-top 1)
     [(asset "SPY" "SPDR S&P 500") (asset "QQQ" "Invesco QQQ") (asset "XLK" "Technology Select Sector SPDR")])
    0.3 (cash))]))
