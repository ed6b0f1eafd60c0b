// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

var update = flag.Bool("update", false, "write the pictures in testdata")

// chromium is the program of Debian's package of that name.
const chromium = "chromium"

// ci is the variable that turns skips into failures, as in internal/lab/labtest.
const ci = "DROPWATCH_CI"

// A browser is the one that all tests share, each in a tab of its own.
type browser struct {
	ctx  context.Context
	stop func()
}

// shared starts the browser with the first test that needs it.
var shared = sync.OnceValues(startBrowser)

// started is the browser to stop in the end, if any.
var started *browser

func TestMain(m *testing.M) {
	code := m.Run()
	if started != nil {
		started.stop()
	}
	os.Exit(code)
}

// needBrowser skips a test without Chromium.
func needBrowser(tb testing.TB) *browser {
	tb.Helper()
	if _, err := exec.LookPath(chromium); err != nil {
		skip(tb, err)
	}
	b, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func skip(tb testing.TB, why any) {
	tb.Helper()
	if os.Getenv(ci) != "" {
		tb.Fatalf("cannot run, and %s is set: %v", ci, why)
	}
	tb.Skip(why)
}

func startBrowser() (*browser, error) {
	profile, err := os.MkdirTemp("", "flamegraph-browser")
	if err != nil {
		return nil, err
	}
	ctx, stopAllocator := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(chromium), chromedp.UserDataDir(profile),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), // containers have little of it
		chromedp.Flag("force-color-profile", "srgb"), // for the colors of screenshots
		chromedp.Flag("lang", "en-US"),
	)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	b := &browser{ctx: ctx, stop: func() {
		closeBrowser()
		stopAllocator()
		os.RemoveAll(profile)
	}}
	if err := chromedp.Do(ctx); err != nil {
		b.stop()
		return nil, fmt.Errorf("start %s: %w", chromium, err)
	}
	started = b
	return b, nil
}
