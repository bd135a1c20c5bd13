; By threshold: 60 % shares and 40 % bonds, put right only when a weight is more than five percentage points off.
(defsymphony "Sixty forty"
 {:asset-class "EQUITIES", :rebalance-threshold 0.05}
 (weight-specified
  60 (asset "SPY" "SPDR S&P 500")
  40 (asset "AGG" "iShares Core US Aggregate Bond")))
