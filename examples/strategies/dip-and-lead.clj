; Daily, with conditions and a ranking: buys a sharp fall of the Nasdaq with leverage, hides from an overheated market,
; and otherwise holds the two strongest of five funds. Shows `if`, `or`, `rsi`, `filter` and windows.
(defsymphony "Dip and lead"
 {:asset-class "EQUITIES", :rebalance-frequency :daily}
 (if (< (rsi "QQQ" {:window 10}) 30)
  [(asset "TQQQ" "ProShares UltraPro QQQ")]
  [(if (or
        (> (rsi "QQQ" {:window 10}) 80)
        (> (rsi "SPY" {:window 10}) 80))
    [(weight-specified
      25 (asset "UVXY" "ProShares Ultra VIX Short-Term Futures")
      75 (asset "BIL" "SPDR Bloomberg 1-3 Month T-Bill"))]
    [(filter (cumulative-return {:window 60}) (select-top 2)
      [(asset "SPY" "SPDR S&P 500")
       (asset "QQQ" "Invesco QQQ")
       (asset "IWM" "iShares Russell 2000")
       (asset "EEM" "iShares MSCI Emerging Markets")
       (asset "XLK" "Technology Select Sector SPDR")])])]))
