package dev.sluice.service.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.llm.OpenAiStub;
import io.vertx.core.json.JsonObject;

/** The console in a real browser, with the keyboard alone: the tasks for which one opens it, hostile names, WCAG, and its pictures. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ConsoleBrowserIT extends ConsoleTestBase {

    private static final String PICTURES = "target/console";
    private static final String READER = "reader-secret";
    /** Markup, a mark that turns the direction of the text, 256 emoji (512 UTF-16 units), and quotes. */
    private static final List<String> HOSTILE = List.of("<img src=x onerror=alert(1)>", "user:\u202elive",
            "\uD83D\uDE00".repeat(256),
            "\"><script>alert(2)</script>");
    private static final List<String> VIEWS = List.of("overview", "traffic", "identifier", "identifier/user%3Acarol?tier=free",
            "rules", "keys", "users", "teams", "orgs", "teams/shop", "llm", "audit");

    private static final String RULES = """
            endpoints:
              /reports:
                free: 60/minute
                pro: 600/minute
                cost: query:pages;default=1;max=10
                concurrency: {free: 2, pro: 5}
              /hooks:
                free: 20/minute
                key: header:X-Tenant, ip
                methods: [POST]
                hosts: [api.example.com]
                shadow: true
            """;

    @Override
    String rules() {
        return RULES;
    }

    @Override
    Map<String, String> variables() {
        var provider = closedAtEnd(new OpenAiStub());
        return Map.of("RATE_LIMIT_ADMIN_TOKENS_READER_SHA256", Sha256.hex(READER), "RATE_LIMIT_LLM_OPENAI_API_KEY",
                "provider-key",
                "RATE_LIMIT_LLM_OPENAI_BASE_URL", provider.baseUrl() + "/v1", "RATE_LIMIT_TIMEOUT", "10s");
    }

    private int check(String identifier, String resource, String tier) {
        return http.post("/v1/check",
                new JsonObject().put("identifier", identifier).put("resource", resource).put("tier", tier).encode(),
                "Authorization", "Bearer " + ADMIN).statusCode();
    }

    private void checkTimes(int times, String identifier, String resource, String tier) {
        for (int i = 0; i < times; i++) {
            check(identifier, resource, tier);
        }
    }

    @BeforeAll
    void fillWithSamples() {
        checkTimes(12, "user:carol", "api:/campaigns", "free");
        checkTimes(30, "user:dave", "api:/users", "pro");
        checkTimes(40, "user:erin", "api:default", "enterprise");
        call("PUT", "/v1/orgs/acme", "{\"limits\":{\"llm\":{\"budget\":\"2000/calendar-month\"}}}");
        call("PUT", "/v1/teams/shop",
                "{\"org\":\"acme\",\"limits\":{\"llm\":{\"budget\":\"5/calendar-day\",\"tokens\":\"100000/minute\"}}}");
        call("PUT", "/v1/users/carol",
                "{\"teams\":[\"shop\"],\"limits\":{\"api\":\"500/hour\",\"llm\":{\"budget\":\"50/calendar-month\"}}}");
        call("POST", "/v1/keys", "{\"name\":\"carol, laptop\",\"user\":\"carol\",\"team\":\"shop\"}");
        var server = call("POST", "/v1/keys",
                "{\"name\":\"build server\",\"team\":\"shop\",\"limits\":{\"llm\":{\"budget\":\"0.50/calendar-day\"}}}");
        chat(server.getString("key"));
        spend("anthropic", "claude-opus-4-1", 90_000);
        spend("openai", "gpt-4o", 20_000);
        spend("openai", "gpt-4o-mini", 50_000);
        spend("openai", "in-house", 1_000);
    }

    private void spend(String provider, String model, int tokens) {
        call("POST", "/v1/llm/usage", new JsonObject().put("provider", provider).put("identifier", "user:carol")
                .put("model", model).put("input_tokens", tokens).put("output_tokens", tokens / 10).encode());
    }

    @Test
    void findsWhyACallerIsRefusedAndFreesIt() {
        checkTimes(200, "user:alice", "api:/auth/login", "free");
        await().until(() -> call("GET", "/v1/traffic", null).getJsonArray("top_denied").encode().contains("user:alice"));
        var console = signedIn();

        console.activate(console.link("user:alice"));
        assertThat(console.heading()).hasText("user:alice");
        assertThat(console.text("The next request gets 429")).isVisible();
        assertThat(console.table()).containsText("api:/auth/login");
        assertThat(console.table()).containsText(Pattern.compile("in \\d+ s"));

        console.activate(console.button("Reset"));
        assertThat(console.button("Yes, reset")).isFocused();
        console.press("Escape");
        assertThat(console.button("Reset")).isFocused();
        assertThat(check("user:alice", "api:/auth/login", "free")).isEqualTo(429);

        console.press("Enter");
        console.press("Enter");
        assertThat(console.text("Nothing is counted for this identifier now.")).isVisible();
        assertThat(console.heading()).isFocused();
        assertThat(check("user:alice", "api:/auth/login", "free")).isEqualTo(200);
    }

    @Test
    void createsATeamWithABudgetAndAKeySeesItUsedInAnotherTabAndRevokesIt() {
        var console = signedIn();

        console.activate(console.link("Teams"));
        console.activate(console.summary("Create a team"));
        console.fill("Name", "research").fill("LLM budget, USD", "500/calendar-month");
        console.press("Enter");
        assertThat(console.heading()).hasText("research");
        assertThat(console.table()).containsText("$500");

        console.activate(console.link("Show or create keys of this team"));
        assertThat(console.heading()).hasText("Keys");
        console.activate(console.summary("Create a key"));
        console.fill("Name for people", "notebook");
        console.press("Enter");
        assertThat(console.field("Key")).isFocused();
        var key = console.field("Key").inputValue();
        assertThat(key).startsWith("sk-sluice-");

        var other = newTab(newWindow(1280, 900, ColorScheme.DARK)).signIn(ADMIN).open("teams/research");
        assertThat(other.table()).containsText("$0");
        assertThat(chat(key)).isEqualTo(200);
        assertThat(other.table()).containsText(Pattern.compile("\\$0\\.0\\d+"),
                PATIENT);

        console.activate(console.link("Open this key"));
        assertThat(console.heading()).hasText("notebook");
        console.activate(console.button("Disable"));
        console.press("Enter");
        assertThat(console.button("Enable")).isVisible();
        assertThat(chat(key)).isEqualTo(401);
        console.activate(console.button("Delete"));
        console.press("Enter");
        assertThat(console.heading()).hasText("Keys");
        assertThat(console.link("notebook")).isHidden();
    }

    private int chat(String key) {
        return http.post("/openai/v1/chat/completions",
                "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", "Authorization",
                "Bearer " + key,
                "Content-Type", "application/json").statusCode();
    }

    @Test
    void findsTheMostExpensiveModelOfTheWeekAndExportsIt() throws IOException {
        var console = signedIn();

        console.activate(console.link("LLM spend"));
        assertThat(console.heading()).hasText("LLM spend");
        assertThat(console.field("Period")).hasValue("7");
        var rows = console.table().locator("tbody tr");
        assertThat(rows.first()).containsText("claude-opus-4-1");
        assertThat(rows.first()).containsText("$2.025");

        console.reach(console.button("Export CSV"));
        var download = console.page().waitForDownload(() -> console.press("Enter"));
        assertThat(download.suggestedFilename()).matches("spend-by-model-from-\\d{4}-\\d\\d-\\d\\d\\.csv");
        assertThat(Files.readAllLines(download.path())).element(1).asString().startsWith("claude-opus-4-1,1,")
                .contains("2.025");
    }

    @Test
    void seesWhatARuleWouldDoBeforeItBites() {
        var console = signedIn();

        console.activate(console.link("Rules"));
        console.fill("Path", "/api/v1/auth/register?x=1").fill("Client address", "198.51.100.7");
        console.press("Enter");
        assertThat(console.text("It would be admitted.")).isVisible();
        assertThat(console.page().locator("main")).containsText("tier free, known by address");
        checkTimes(3, "ip:198.51.100.7", "api:/auth/register", "free");
        console.press("Enter");
        assertThat(console.text("It would get 429.")).isVisible();
        var used = call("GET", "/v1/limits?identifier=ip:198.51.100.7", null);
        assertThat(used.getJsonObject("limits").getInteger("api:/auth/register")).isEqualTo(3);
    }

    @Test
    void seesTheOptionsOfARuleAndItsRequestsInFlight() {
        var console = signedIn().open("rules");
        var rules = console.page().getByRole(AriaRole.REGION, new Page.GetByRoleOptions().setName("Rules of endpoints"));
        assertThat(rules).containsText("cost query:pages;max=10 · in flight free 2, pro 5");
        assertThat(rules).containsText("by header:x-tenant,ip · shadow: refuses nothing · POST · hosts api.example.com");
        console.fill("Path", "/reports?pages=3");
        console.press("Enter");
        var tried = console.page().getByRole(AriaRole.REGION,
                new Page.GetByRoleOptions().setName("Rules that govern the request"));
        assertThat(tried.locator("tbody tr")).hasCount(2);
        assertThat(tried).containsText("cost 3");
        assertThat(tried.locator("tbody tr").last()).containsText("in flight");
        assertThat(console.page().locator("main")).containsText("so requests in flight are not limited");
    }

    @Test
    void seesTheSpendOfAUserByModelAndHourWithAlignedAmounts() {
        var console = signedIn().open("identifier/user%3Acarol");
        var models = console.page().getByRole(AriaRole.REGION, new Page.GetByRoleOptions().setName("LLM spend by model"));
        assertThat(models.locator("tbody tr")).hasCount(4);
        var decimals = models.locator("tbody tr td:last-child").allTextContents().stream()
                .map(cost -> cost.substring(cost.indexOf('.')).length()).distinct();
        assertThat(decimals).hasSize(1);
        var chart = console.page().getByRole(AriaRole.IMG, new Page.GetByRoleOptions().setName(
                "Cost per hour in US dollars by model, 24 hours"));
        assertThat(chart).containsText("claude-opus-4-1");
        assertThat(chart).containsText("Other models");
        console.activate(console.summary("By hour and model"));
        var hours = console.page().getByRole(AriaRole.REGION,
                new Page.GetByRoleOptions().setName("LLM spend by hour and model"));
        assertThat(hours.locator("tbody tr")).hasCount(4);
    }

    @Test
    void listsShowWhatIsSpentOfBudgets() {
        var console = signedIn();
        var requests = new ArrayList<String>();
        console.page().onRequest(request -> requests.add(request.url()));
        for (var kind : List.of("keys", "users")) {
            console.open(kind);
            assertThat(console.table()).containsText(Pattern.compile("\\$\\d+\\.\\d+ of \\$\\d+\\.\\d+ / "));
            assertThat(console.table().locator(".bar").first()).isVisible();
        }
        assertThat(requests.stream().filter(url -> url.matches(".*/v1/(keys|users)\\W.*"))).as("one request for each list")
                .hasSize(2);
    }

    @Test
    void hostileNamesStayText() {
        HOSTILE.forEach(identifier -> checkTimes(12, identifier, "api:/campaigns", "free"));
        call("POST", "/v1/keys", "{\"name\":\"<img src=x onerror=alert(3)>\",\"team\":\"shop\"}");
        await().until(() -> call("GET", "/v1/traffic", null).getJsonArray("top_denied").encode().contains("onerror"));
        var console = signedIn();
        for (int width : new int[]{1280, 360}) {
            console.page().setViewportSize(width, 900);
            for (var view : List.of("overview", "traffic", "identifier", "keys")) {
                console.open(view);
                assertThat(console.table()).isVisible();
                assertThat(console.contentWidth()).as(view)
                        .isLessThanOrEqualTo(width);
            }
        }
        for (var identifier : HOSTILE) {
            checkTimes(12, identifier, "api:/campaigns", "free");
            console.open("identifier/" + URLEncoder.encode(identifier, StandardCharsets.UTF_8)
                    .replace("+", "%20"));
            assertThat(console.heading()).hasText(identifier.replace("\u202e", "U+202E"));
            assertThat(console.table()).containsText("api:/campaigns");
            assertThat(console.page().locator("img")).hasCount(1);
            assertThat(console.contentWidth()).isLessThanOrEqualTo(360);
        }
    }

    @Test
    void tokenThatReadsSeesNoButtonThatChangesSomething() {
        var console = newTab(newWindow()).signIn(READER);
        for (var view : VIEWS) {
            console.open(view);
            assertThat(console.page().locator("main").getByText(
                    Pattern.compile("^(Reset.*|Create .*|Save|Delete|Disable|Rotate)$"))).hasCount(0);
        }
    }

    @Test
    void wrongTokenIsRefusedAndKeptNowhere() {
        var console = newTab(newWindow());
        console.page().navigate("http://127.0.0.1:" + sluice.port() + "/");
        assertThat(console.page()).hasURL(Pattern.compile("/q/console/"));
        console.reach(console.field("Admin token"));
        console.type("wrong");
        console.press("Enter");
        assertThat(console.text("Invalid token or API key")).isVisible();
        assertThat((Integer) console.page().evaluate("sessionStorage.length + localStorage.length + document.cookie.length"))
                .isZero();
    }

    @Test
    void saysWhenItIsStaleAndReconnects() {
        var console = signedIn();
        var state = console.page().locator("#live-state");
        assertThat(state).containsText("Live", PATIENT);
        sluice.suspend();
        try {
            assertThat(state).containsText("Stale since", PATIENT);
        } finally {
            sluice.resume();
        }
        assertThat(state).containsText("Live", PATIENT);
    }

    @Test
    void skipLinkAndHistoryKeepTheFocus() {
        var console = signedIn();
        console.press("Shift+Tab");
        console.activate(console.link("Skip to content"));
        assertThat(console.page().locator("main")).isFocused();
        console.activate(console.link("Audit"));
        assertThat(console.heading()).isFocused();
        console.page().goBack();
        assertThat(console.heading()).hasText("Overview");
        assertThat(console.page()).hasTitle("Overview – Sluice");
    }

    @ParameterizedTest
    @EnumSource(value = ColorScheme.class, names = {"LIGHT", "DARK"})
    void axeFindsNothing(ColorScheme scheme) {
        var console = newTab(newWindow(1280, 900, scheme));
        console.navigate("");
        assertThat(console.field("Admin token")).isVisible();
        assertAccessible(console, "login");
        console.signIn(ADMIN);
        for (int width : new int[]{1280, 360}) {
            console.page().setViewportSize(width, 900);
            for (var view : VIEWS) {
                console.open(view);
                console.page().locator("details").all().forEach(details -> details.evaluate("node => node.open = true"));
                assertAccessible(console, view + " at " + width);
            }
        }
    }

    private static void assertAccessible(ConsolePage console, String view) {
        var found = new AxeBuilder(console.page())
                .withTags(List.of("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")).analyze();
        assertThat(found.getViolations()).as(view)
                .extracting(rule -> rule.getId() + ": " + rule.getNodes().get(0).getHtml()).isEmpty();
    }

    @Test
    void rowOfATableIsACardOnANarrowScreenAndStaysARow() {
        var console = newTab(newWindow(360, 780, ColorScheme.LIGHT)).signIn(ADMIN).open("traffic");
        var table = console.page().getByRole(AriaRole.TABLE, new Page.GetByRoleOptions().setName("Decisions by rule and tier"));
        var cells = table.getByRole(AriaRole.ROW).nth(1).getByRole(AriaRole.CELL);
        assertThat(cells).hasCount(6);
        assertThat(table.getByRole(AriaRole.COLUMNHEADER)).hasCount(7);
        for (int i = 1; i < 6; i++) {
            assertThat(cells.nth(i).boundingBox().y).isGreaterThan(cells.nth(i - 1).boundingBox().y);
        }
        assertThat(cells.first().evaluate("node => getComputedStyle(node, '::before').content").toString())
                .startsWith("\"Tier\"");

        var sort = table.getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("Allowed"));
        console.activate(sort);
        assertThat(sort.boundingBox().height).as("visible").isGreaterThan(10);
        assertThat(table.getByRole(AriaRole.COLUMNHEADER).nth(2)).hasAttribute("aria-sort", "descending");
        assertThat(table.locator("tbody td[data-title=Allowed]").allTextContents())
                .extracting(text -> Integer.valueOf(text.replace(",", "")))
                .hasSizeGreaterThan(1).isSortedAccordingTo(Comparator.reverseOrder());
    }

    @Order(0) // before the hostile names
    @ParameterizedTest
    @CsvSource({"360, 780, LIGHT", "360, 780, DARK", "800, 900, LIGHT", "800, 900, DARK", "1280, 900, LIGHT",
            "1920, 1080, LIGHT",
            "1920, 1080, DARK"})
    void everyViewFitsAndIsPictured(int width, int height, ColorScheme scheme) throws IOException {
        var console = newTab(newWindow(width, height, scheme)).signIn(ADMIN);
        var names = new HashMap<>(Map.of("identifier/user%3Acarol?tier=free", "identifier", "teams/shop", "team", "identifier",
                "identifiers"));
        for (var view : VIEWS) {
            console.open(view);
            assertThat(console.contentWidth()).as(view)
                    .isLessThanOrEqualTo(width);
            if (view.startsWith("identifier/")) {
                checkTimes(12, "user:carol", "api:/campaigns", "free");
                assertThat(console.text("The next request gets 429")).isVisible();
            }
            assertThat((Integer) console.page().evaluate("[...document.querySelectorAll('.scroll')]"
                    + ".filter(each => each.scrollWidth > each.clientWidth).length")).as("clipped tables in " + view).isZero();
            assertThat((Boolean) console.page()
                    .evaluate("(() => { const all = document.getElementById('nav').getBoundingClientRect();"
                            + " const one = document.querySelector('#nav [aria-current]').getBoundingClientRect();"
                            + " return one.left >= all.left - 1 && one.right <= all.right + 1; })()"))
                    .as("link of " + view).isTrue();
            if (view.equals("overview")) {
                assertThat(console.page().locator(".figures .value").nth(1)).not().hasText("–");
            }
            var name = names.getOrDefault(view, view);
            boolean inDocs = width == 1280 && !List.of("identifiers", "users", "teams", "orgs").contains(name);
            var folder = Path.of(inDocs ? System.getProperty("sluice.console.screenshots", PICTURES) : PICTURES);
            Files.createDirectories(folder);
            console.page().screenshot(new Page.ScreenshotOptions().setFullPage(!inDocs || name.equals("identifier"))
                    .setPath(folder.resolve(name + "-" + width + (scheme == ColorScheme.DARK ? "-dark" : "") + ".png")));
        }
    }
}
