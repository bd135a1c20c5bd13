; A ranking of portfolios instead of funds, weekly: each group is simulated on its own, and the one that fell least
; from its peak in the last month is held. Shows `group`, a filter over portfolios and a long average.
(defsymphony "Best of three"
 {:asset-class "EQUITIES", :rebalance-frequency :weekly}
 (filter (max-drawdown {:window 21}) (select-bottom 1)
  [(group "Growth, while it rises"
    [(if (> (current-price "QQQ") (exponential-moving-average-price "QQQ" {:window 50}))
      [(weight-equal [(asset "QQQ" "Invesco QQQ") (asset "XLK" "Technology Select Sector SPDR")])]
      [(asset "BIL" "SPDR Bloomberg 1-3 Month T-Bill")])])
   (group "Value"
    [(weight-equal [(asset "VTV" "Vanguard Value") (asset "XLF" "Financial Select Sector SPDR")])])
   (group "Bonds"
    [(weight-specified
      70 (asset "IEF" "iShares 7-10 Year Treasury Bond")
      30 (asset "TLT" "iShares 20+ Year Treasury Bond"))])]))
