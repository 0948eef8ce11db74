package dev.sluice.service.console;

import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;

/** Chromium of this machine, driven by Playwright. For one thread. */
final class Browser implements AutoCloseable {

    private final Playwright playwright;
    private final com.microsoft.playwright.Browser chromium;

    private Browser(Path executable) {
        playwright = Playwright
                .create(new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        chromium = playwright.chromium().launch(new BrowserType.LaunchOptions().setExecutablePath(executable)
                .setArgs(List.of("--no-sandbox", "--disable-dev-shm-usage")));
    }

    /** Starts the browser; skips the test, and says so, if none is installed. */
    static Browser start() {
        var executable = Chromium.find();
        if (executable.isEmpty()) {
            System.out.println("Skipped: tests of the console in a browser: " + Chromium.NOT_FOUND);
            abort("no browser");
        }
        return new Browser(executable.get());
    }

    /** Opens a window, whose storage no other one shares. */
    BrowserContext open(int width, int height, ColorScheme scheme) {
        return chromium.newContext(new com.microsoft.playwright.Browser.NewContextOptions().setViewportSize(width, height)
                .setColorScheme(scheme).setAcceptDownloads(true).setTimezoneId("Europe/Berlin"));
    }

    @Override
    public void close() {
        chromium.close();
        playwright.close();
    }
}
