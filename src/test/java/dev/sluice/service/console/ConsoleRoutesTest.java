package dev.sluice.service.console;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.IdentitiesProfile;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** The files of the console over HTTP. */
@QuarkusTest
@TestProfile(IdentitiesProfile.class)
@WithTestResource(RedisTestResource.class)
class ConsoleRoutesTest extends HttpTestBase {

    private static final Path SOURCES = Path.of("src/main/resources/dev/sluice/service/console");
    private static final String BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";

    @Test
    void everyFileIsServedWithItsTypeAndOnlyTheConsolesOwnScriptsMayRun() {
        for (var name : ConsoleFile.NAMES) {
            var response = http.get("/q/console/" + name);
            assertThat(response.statusCode()).as(name).isEqualTo(200);
            assertThat(header(response, "Content-Type")).as(name)
                    .matches("text/(html|css|javascript); charset=utf-8|image/svg\\+xml");
            assertThat(header(response, "X-Content-Type-Options")).isEqualTo("nosniff");
            assertThat(response.headers().allValues("Content-Security-Policy")).singleElement().asString()
                    .startsWith("default-src 'none'; script-src 'self'; style-src 'self'").doesNotContain("unsafe", "http");
        }
        assertThat(http.get("/q/console/").body()).isEqualTo(http.get("/q/console/index.html").body());
    }

    @Test
    void filesAreRevalidated() {
        var first = http.get("/q/console/app.js");
        assertThat(header(first, "Cache-Control")).isEqualTo("no-cache");
        var tag = header(first, "ETag");
        assertThat(http.get("/q/console/app.js", "If-None-Match", tag).statusCode()).isEqualTo(304);
        assertThat(http.get("/q/console/app.js", "If-None-Match", "\"other\"").statusCode()).isEqualTo(200);
        assertThat(http.send("HEAD", "/q/console/app.js", null).body()).isEmpty();
    }

    @Test
    void browserIsRedirectedAndOtherClientsGetTheErrorAsBefore() {
        var browser = http.get("/", "Accept", BROWSER);
        assertThat(browser.statusCode()).isEqualTo(302);
        assertThat(header(browser, "Location")).isEqualTo("q/console/");
        assertThat(header(browser, "Vary")).containsIgnoringCase("accept");
        for (var accepted : List.of("*/*", "application/json", "text/html;q=0, */*")) {
            var response = http.get("/", "Accept", accepted);
            assertThat(response.statusCode()).as(accepted).isEqualTo(404);
            assertThat(response.body()).contains("RATE_4041");
        }
        assertThat(header(http.get("/q/console"), "Location")).isEqualTo("console/");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/q/console/absent.js", "/q/console/views/", "/q/console/ConsoleFile.class",
            "/q/console/views/../../x",
            "/q/consoles", "/webjars/uplot/1.6.30/dist/uPlot.min.css"})
    void otherPathsAreNotFound(String path) {
        assertThat(http.get(path).statusCode()).isEqualTo(404);
    }

    @Test
    void onlyGetAndHeadAreAllowed() {
        var response = http.post("/q/console/", "");
        assertThat(response.statusCode()).isEqualTo(405);
        assertThat(header(response, "Allow")).isEqualTo("GET, HEAD");
    }

    @Test
    void pageKnowsOnlyIfThereIsATokenAndAnUpstream() {
        assertThat(http.get("/q/console/state.json").body()).isEqualTo("{\"admin_token\":true,\"upstream\":false}");
    }

    @Test
    void everySourceFileIsServed() throws IOException {
        var names = new ArrayList<>(List.of("uPlot.iife.min.js", "uPlot.min.css"));
        try (var files = Files.walk(SOURCES)) {
            files.filter(Files::isRegularFile).forEach(file -> names.add(SOURCES.relativize(file).toString()));
        }
        assertThat(ConsoleFile.NAMES).containsExactlyInAnyOrderElementsOf(names);
    }

    @Test
    void everyFileIsInANativeImage() throws IOException {
        var config = new JsonObject(Files.readString(
                Path.of("src/main/resources/META-INF/native-image/dev.sluice/sluice/resource-config.json")));
        var patterns = config.getJsonObject("resources").getJsonArray("includes").stream()
                .map(include -> Pattern.compile(((JsonObject) include).getString("pattern"))).toList();
        assertThat(ConsoleFile.NAMES).allSatisfy(name -> assertThat(patterns)
                .anyMatch(pattern -> pattern.matcher("dev/sluice/service/console/" + name).matches()));
    }

    @Test
    void sourcesSetNoMarkupAndNameNoOtherOrigin() throws IOException {
        var unsafe = Pattern
                .compile("innerHTML|outerHTML|insertAdjacentHTML|document\\.write|eval\\(|new Function|localStorage|"
                        + "document\\.cookie|style=|https?://(?!localhost|www\\.w3\\.org/2000/svg)");
        try (var files = Files.walk(SOURCES)) {
            for (var file : files.filter(Files::isRegularFile).toList()) {
                assertThat(unsafe.matcher(Files.readString(file)).results().map(found -> found.group()).toList())
                        .as(file.toString()).isEmpty();
            }
        }
    }
}
