// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a tab may be in use. Nothing waits that long unless it
// fails.
const patience = 60 * time.Second

// The size of windows, which is that of pictures drawn without a browser.
const windowWidth, windowHeight = 1200, 800

// A tab shows one page. Whatever the page complains of fails the test that
// opened it, unless that asks for it first.
type tab struct {
	testing.TB // of the test that uses it now
	ctx        context.Context

	mu         sync.Mutex
	complaints []string
	asked      bool          // the test is about complaints
	heard      chan struct{} // tells of complaints that may be new
}

// newTab opens an empty tab.
func newTab(tb testing.TB) *tab {
	tb.Helper()
	limited, cancel := context.WithTimeout(needBrowser(tb).ctx, patience)
	tb.Cleanup(cancel)
	ctx, closeTab := chromedp.NewContext(limited)
	tb.Cleanup(closeTab)
	t := &tab{TB: tb, ctx: ctx, heard: make(chan struct{}, 1)}
	t.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { return chromedp.Listen(ctx, t.listen) }))
	tb.Cleanup(func() { t.checkSilence(tb) })
	// Of much drawing at once chromedp hears more than its queue holds, and waits
	// for an answer that lies behind it. No test here asks it for nodes.
	call(t, dom.Disable, cdp.Empty{})
	call(t, log.Enable, cdp.Empty{})
	call(t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	// A violation may happen before any script of the page runs.
	t.early(`addEventListener('securitypolicyviolation', (e) => console.error('violates ' + e.effectiveDirective))`)
	t.resize(windowWidth, windowHeight)
	return t
}

// open shows what is at an address.
func open(tb testing.TB, url string) *tab {
	tb.Helper()
	t := newTab(tb)
	t.visit(url)
	return t
}

// visit goes to an address and waits until all of it is loaded.
func (t *tab) visit(url string) {
	t.Helper()
	t.do(chromedp.Navigate(url))
}

// listen notes errors, exceptions and dialogs.
func (t *tab) listen(event any) {
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		t.complain("exception: " + event.ExceptionDetails.Text + " " + event.ExceptionDetails.Exception.Description)
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, arg := range event.Args {
			words = append(words, string(arg.Value))
		}
		t.complain("console: " + strings.Join(words, " "))
	case *log.EventEntryAdded:
		t.complain("log: " + event.Entry.Text)
	case *page.EventJavascriptDialogOpening:
		t.complain("dialog: " + event.Message)
	}
}

func (t *tab) complain(words string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.complaints = append(t.complaints, words)
	select {
	case t.heard <- struct{}{}:
	default:
	}
}

// problems returns what the page complained of since the last time.
func (t *tab) problems() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.complaints
	t.complaints = nil
	return all
}

// early runs a script in every page to come, before those of the page.
func (t *tab) early(script string) {
	t.Helper()
	call(t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// checkSilence fails a test whose page complained unasked.
func (t *tab) checkSilence(tb testing.TB) {
	tb.Helper()
	if t.asked {
		return
	}
	all := t.problems()
	if len(all) == 0 { // or what is still on its way, which the answer to a question follows
		chromedp.Run(t.ctx, chromedp.Evaluate[int](`0`))
		all = t.problems()
	}
	for _, c := range all {
		tb.Errorf("the page complains: %s", c)
	}
}

// hears waits until the page complains of something.
func (t *tab) hears(words string) bool {
	t.Helper()
	t.asked = true
	for {
		for _, c := range t.problems() {
			if strings.Contains(c, words) {
				return true
			}
		}
		select {
		case <-t.heard:
		case <-t.ctx.Done():
			return false
		}
	}
}

func (t *tab) do(action chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(t.ctx, action); err != nil {
		t.Fatal(err)
	}
}

// resize gives the window a size.
func (t *tab) resize(width, height int64) {
	t.Helper()
	call(t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// call sends a command of the protocol.
func call[P, R any](t *tab, command cdp.Command[P, R], params P) R {
	t.Helper()
	result, err := chromedp.Call(t.ctx, command, params)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// eval returns the value of an expression in the page.
func eval[T any](t *tab, expression string) T {
	t.Helper()
	value, err := chromedp.Run(t.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%v in %s", err, expression)
	}
	return value
}
