package dev.sluice.service.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.options.ColorScheme;

import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.json.JsonObject;

/** Base class of tests of the console: a browser, the packaged program, and its Redis. No page may break the rules of its CSP. */
abstract class ConsoleTestBase {

    static final String ADMIN = "admin-secret";

    static Browser browser;
    static RedisTestServer redis;
    static Instance sluice;
    static HttpTestClient http;

    final List<ConsolePage> pages = new ArrayList<>();
    private final List<BrowserContext> windows = new ArrayList<>();

    /**
     * Starts the program.
     *
     * @param rules rules file
     * @param settings further environment variables
     */
    static void start(String rules, Map<String, String> settings) throws IOException {
        browser = Browser.start();
        redis = RedisTestServer.start();
        var file = Files.writeString(Files.createTempFile("sluice-console-", ".yaml"), rules);
        var environment = new HashMap<>(settings);
        environment.put("REDIS_PORT", Integer.toString(redis.port()));
        environment.put("RATE_LIMIT_FILE", file.toString());
        environment.put("RATE_LIMIT_ADMIN_TOKEN", ADMIN);
        sluice = Instance.start(environment);
        http = new HttpTestClient(sluice.port());
    }

    @AfterAll
    static void stop() {
        Stream.of(sluice, redis, browser).forEach(ConsoleTestBase::close);
        sluice = null;
        redis = null;
        browser = null;
    }

    static void close(AutoCloseable resource) {
        try {
            if (resource != null) {
                resource.close();
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void closeWindows() {
        windows.forEach(BrowserContext::close);
        assertThat(pages).allSatisfy(page -> assertThat(page.violations()).isEmpty());
    }

    /** Sends a request of an administrator, which must succeed. */
    static JsonObject call(String method, String path, String body) {
        var response = http.send(method, path, body, "Authorization", "Bearer " + ADMIN);
        assertThat(response.statusCode()).as(response.body()).isBetween(200, 204);
        return response.body().isEmpty() ? new JsonObject() : new JsonObject(response.body());
    }

    BrowserContext newWindow(int width, int height, ColorScheme scheme) {
        var window = browser.open(width, height, scheme);
        windows.add(window);
        return window;
    }

    BrowserContext newWindow() {
        return newWindow(1280, 900, ColorScheme.LIGHT);
    }

    ConsolePage newTab(BrowserContext window) {
        var page = new ConsolePage(window, sluice.port());
        pages.add(page);
        return page;
    }

    ConsolePage signedIn() {
        return newTab(newWindow()).signIn(ADMIN);
    }
}
