module github.com/dropwatch/dropwatch/flamegraph/browser

go 1.26.0

replace github.com/dropwatch/dropwatch => ../..

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/dropwatch/dropwatch v0.0.0-00010101000000-000000000000
	github.com/google/go-cmp v0.7.0
)

require github.com/go-json-experiment/json v1.27.2 // indirect
