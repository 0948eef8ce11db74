package dev.sluice.service.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;

/**
 * A tab with the console, used by the keyboard alone: a control is reached with the Tab key. Records what a page must not do: requests
 * to other origins, dialogs, errors, and violations of the content security policy.
 */
final class ConsolePage {

    private static final int MAX_TABS = 200;

    private final String base;
    private final Page page;
    private final List<String> violations = new ArrayList<>();

    ConsolePage(BrowserContext context, int port) {
        base = "http://127.0.0.1:" + port + "/q/console/";
        page = context.newPage();
        page.onDialog(dialog -> {
            violations.add("dialog: " + dialog.message());
            dialog.dismiss();
        });
        page.onPageError(error -> violations.add("error: " + error));
        page.onConsoleMessage(message -> {
            if (message.text().contains("Content Security Policy")) {
                violations.add(message.text());
            }
        });
        page.onRequest(request -> {
            var uri = URI.create(request.url());
            if (!"blob".equals(uri.getScheme()) && !"data".equals(uri.getScheme()) && uri.getPort() != port) {
                violations.add("request to " + request.url());
            }
            if (request.url().contains("secret")) {
                violations.add("token in " + request.url());
            }
        });
    }

    Page page() {
        return page;
    }

    List<String> violations() {
        return violations;
    }

    /** Opens the console and signs in. */
    ConsolePage signIn(String token) {
        return signIn(token, "Overview");
    }

    /** @param view heading of the view that the token may see first */
    ConsolePage signIn(String token, String view) {
        navigate("");
        assertThat(page.locator("input[name=token]")).isFocused();
        type(token);
        press("Enter");
        assertThat(heading()).hasText(view);
        return this;
    }

    /** Opens an address of the console, as a link in a chat would, and waits until the view is shown. */
    ConsolePage open(String hash) {
        navigate(hash);
        assertThat(page.locator("main")).hasAttribute("data-view", hash);
        return this;
    }

    /** Opens an address of the console, of which another view may be shown; with an empty one, its start. */
    void navigate(String hash) {
        page.navigate(hash.isEmpty() ? base : base + "#/" + hash);
    }

    /** Returns the width of the page, which is larger than the window if the page scrolls sideways. */
    int contentWidth() {
        return (Integer) page.evaluate("document.documentElement.scrollWidth");
    }

    /** Returns the first table of the view, apart from legends of charts. */
    Locator table() {
        return page.locator("main .scroll table").first();
    }

    Locator heading() {
        return page.locator("h1");
    }

    Locator link(String name) {
        return page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName(name).setExact(true)).first();
    }

    Locator button(String name) {
        return page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true)).first();
    }

    /** Returns what opens or closes a part of the view. */
    Locator summary(String text) {
        return page.locator("summary", new Page.LocatorOptions().setHasText(text));
    }

    Locator field(String label) {
        return page.getByLabel(label, new Page.GetByLabelOptions().setExact(true)).first();
    }

    Locator text(String text) {
        return page.getByText(text).first();
    }

    void press(String key) {
        page.keyboard().press(key);
    }

    void type(String text) {
        page.keyboard().type(text);
    }

    /** Presses Tab until a control has the focus. */
    ConsolePage reach(Locator control) {
        assertThat(control).isVisible();
        for (int i = 0; i < MAX_TABS; i++) {
            if (hasFocus(control)) {
                return this;
            }
            press("Tab");
        }
        throw new AssertionError("not reached with the Tab key: " + control);
    }

    private static boolean hasFocus(Locator control) {
        return Boolean.TRUE.equals(control.evaluate("node => node === document.activeElement"));
    }

    /** Reaches a control and presses Enter. */
    ConsolePage activate(Locator control) {
        reach(control);
        press("Enter");
        return this;
    }

    /** Reaches a field and replaces its content. */
    ConsolePage fill(String label, String text) {
        reach(field(label));
        press("Control+A");
        type(text);
        return this;
    }
}
