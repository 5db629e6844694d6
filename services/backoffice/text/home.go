package text

// HomeTexts has the texts about the home page.
type HomeTexts interface {
	HomeToConfirm() string
	HomeOldest(age string) string
	HomeToday() string
	HomeOrders(n int64, written string) string
	HomeUnits(n int64, written string) string
	HomeLow() string
	HomeOut(products string) string
	HomeStockValue() string
	HomeMissing() string
	HomeAll() string

	HomeWaiting() string
	HomeOrder() string
	HomeWaitsFor() string
	HomeNothingWaits() string
	HomeNothingWaitsHint() string
	HomeLowTitle() string
	HomeOfLevel(level string) string
	HomeNothingLow() string
	HomeNothingLowHint() string

	HomeChart(days int) string
	HomeChartDesc(value, orders string) string
	HomeNumbers() string
	HomeDay() string
	HomeValue() string

	HomeFirst() string
	HomeFirstHint() string
	HomeFirstProduct() string
	HomeFirstCustomer() string
	HomeFirstOrder() string
	HomeDone() string
	HomeNotYourRole() string
}
