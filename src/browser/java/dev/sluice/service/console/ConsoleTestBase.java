package dev.sluice.service.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.ColorScheme;

import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.json.JsonObject;

/**
 * Base class of tests of the console: a browser, and the packaged program with a Redis and an admin token. After each test the windows
 * are closed, and no page may have done what {@link ConsolePage} records.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ConsoleTestBase {

    static final String ADMIN = "admin-secret";
    static final LocatorAssertions.ContainsTextOptions PATIENT = new LocatorAssertions.ContainsTextOptions().setTimeout(30_000);
    static final LocatorAssertions.IsVisibleOptions PATIENTLY = new LocatorAssertions.IsVisibleOptions().setTimeout(30_000);

    Browser browser;
    RedisTestServer redis;
    Instance sluice;
    HttpTestClient http;

    private final List<AutoCloseable> resources = new ArrayList<>();
    private final List<ConsolePage> pages = new ArrayList<>();
    private final List<BrowserContext> windows = new ArrayList<>();

    /** Returns the content of the rules file. */
    abstract String rules();

    /** Returns the variables of the instance besides those of Redis, the rules file and the admin token. */
    abstract Map<String, String> variables();

    @BeforeAll
    void start() throws IOException {
        browser = closedAtEnd(Browser.start());
        redis = RedisTestServer.start();
        var environment = new HashMap<>(variables());
        environment.put("REDIS_PORT", Integer.toString(redis.port()));
        environment.put("RATE_LIMIT_ADMIN_TOKEN", ADMIN);
        environment.put("RATE_LIMIT_FILE",
                Files.writeString(Files.createDirectories(Path.of("target")).resolve("rules.yaml"), rules()).toString());
        sluice = closedAtEnd(Instance.start(environment));
        http = new HttpTestClient(sluice.port());
    }

    /** Registers what is closed after the last test; the last one registered is closed first. */
    final <T extends AutoCloseable> T closedAtEnd(T resource) {
        resources.add(0, resource);
        return resource;
    }

    @AfterAll
    void stop() throws Exception {
        if (redis != null) { // a test may have replaced it
            resources.add(redis);
        }
        for (var resource : resources) {
            resource.close();
        }
    }

    @AfterEach
    void closeWindows() {
        var violations = pages.stream().flatMap(page -> page.violations().stream()).toList();
        windows.forEach(BrowserContext::close);
        windows.clear();
        pages.clear();
        assertThat(violations).isEmpty();
    }

    /** Sends a request of the admin, which must succeed. */
    final JsonObject call(String method, String path, String body) {
        var response = http.send(method, path, body, "Authorization", "Bearer " + ADMIN);
        assertThat(response.statusCode()).as(response.body()).isBetween(200, 204);
        return response.body().isEmpty() ? new JsonObject() : new JsonObject(response.body());
    }

    final BrowserContext newWindow() {
        return newWindow(1280, 900, ColorScheme.LIGHT);
    }

    final BrowserContext newWindow(int width, int height, ColorScheme scheme) {
        var window = browser.open(width, height, scheme);
        windows.add(window);
        return window;
    }

    final ConsolePage newTab(BrowserContext window) {
        var page = new ConsolePage(window, sluice.port());
        pages.add(page);
        return page;
    }

    /** Opens a window and signs in as the admin. */
    final ConsolePage signedIn() {
        return newTab(newWindow()).signIn(ADMIN);
    }
}
