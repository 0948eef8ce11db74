package dev.sluice.service.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.json.JsonObject;

/** The console for tokens of a team, with invalid input, in many tabs, and while Redis or the live figures are not available. */
class ConsoleStatesBrowserIT extends ConsoleTestBase {

    private static final String LEAD = "lead-secret";
    private static final String RULES = """
            endpoints:
              /hooks: {free: 2/minute, shadow: true}
              /closed: {free: blocked}
            """;

    @Override
    String rules() {
        return RULES;
    }

    @Override
    Map<String, String> variables() {
        return Map.of("RATE_LIMIT_ADMIN_TOKENS_LEAD_SHA256", Sha256.hex(LEAD), "RATE_LIMIT_ADMIN_TOKENS_LEAD_SCOPE", "write",
                "RATE_LIMIT_ADMIN_TOKENS_LEAD_TEAM", "shop");
    }

    @Test
    void tokenOfATeamIsOfferedNothingThatIsForbidden() {
        call("PUT", "/v1/orgs/acme", "{}");
        call("PUT", "/v1/teams/shop", "{\"org\":\"acme\"}");
        call("PUT", "/v1/teams/ads", "{}");
        call("PUT", "/v1/users/only", "{\"teams\":[\"shop\"]}");
        call("PUT", "/v1/users/both", "{\"teams\":[\"ads\",\"shop\"]}");
        call("POST", "/v1/keys", "{\"name\":\"of only\",\"user\":\"only\",\"team\":\"shop\"}");
        var console = newTab(newWindow());
        var refused = new ArrayList<String>();
        console.page().onResponse(response -> {
            if (response.status() == 403 || response.status() == 404) {
                refused.add(response.url());
            }
        });
        console.signIn(LEAD, "Keys");

        var seen = new ArrayList<>(List.of("keys"));
        for (int i = 0; i < seen.size(); i++) {
            console.open(seen.get(i));
            console.page().locator("main a, nav a").all().stream().map(link -> link.getAttribute("href"))
                    .map(address -> address.replaceFirst("^#/", "")).filter(address -> !seen.contains(address))
                    .forEach(seen::add);
        }
        assertThat(seen).contains("teams/shop", "users/both", "llm")
                .noneMatch(view -> view.matches("(identifier|orgs|rules).*"));
        assertThat(refused).isEmpty();

        console.navigate("identifier/shop");
        assertThat(console.heading()).hasText("Keys");
        console.open("users");
        assertThat(console.page().locator("main summary")).hasCount(0);
        console.open("users/both");
        assertThat(console.button("Save")).hasCount(0);
        console.open("users/only");
        assertThat(console.button("Delete")).isVisible();
        console.open("teams/shop");
        assertThat(console.button("Delete")).hasCount(0);
        console.fill("LLM calls in flight of each member", "2");
        console.press("Enter");
        await().until(() -> call("GET", "/v1/teams/shop", null).encode().contains("\"concurrency\":2"));
        console.open("keys");
        console.activate(console.summary("Create a key"));
        console.fill("Name for people", "of the lead");
        console.press("Enter");
        assertThat(console.field("Key")).isFocused();
        assertThat(console.link("of the lead")).isVisible();
        assertThat(refused).isEmpty();
    }

    @Test
    void errorIsShownAtItsField() {
        var console = signedIn().open("orgs");
        console.activate(console.summary("Create an organisation"));
        console.fill("Name", "strict").fill("LLM budget, USD", "plenty");
        console.press("Enter");
        assertInvalid(console, "LLM budget, USD");
        console.fill("LLM budget, USD", "5/day").fill("LLM calls in flight", "many");
        console.press("Enter");
        assertInvalid(console, "LLM calls in flight");
        assertThat(console.field("LLM budget, USD")).not().hasAttribute("aria-invalid", "true");
        console.fill("LLM calls in flight", "3");
        console.press("Enter");
        assertThat(console.heading()).hasText("strict");
        console.fill("LLM tokens", "?");
        console.press("Enter");
        assertInvalid(console, "LLM tokens");
        assertThat(call("GET", "/v1/orgs/strict", null).getJsonObject("limits").getJsonObject("llm").getInteger("concurrency"))
                .isEqualTo(3);
        console.open("orgs");
        console.activate(console.summary("Create an organisation"));
        console.fill("Name", "strict");
        console.press("Enter");
        assertInvalid(console, "Name");
    }

    private static void assertInvalid(ConsolePage console, String label) {
        assertThat(console.field(label)).isFocused();
        assertThat(console.field(label)).hasAttribute("aria-invalid", "true");
        assertThat(console.page().locator(".field", new Page.LocatorOptions().setHas(console.field(label))).locator(".error"))
                .not().isEmpty();
    }

    @Test
    void teamWithKeysIsDeletedAfterASecondQuestion() {
        call("PUT", "/v1/teams/closing", "{}");
        call("POST", "/v1/keys", "{\"name\":\"of closing\",\"team\":\"closing\"}");
        var console = signedIn().open("teams/closing");
        console.activate(console.button("Delete"));
        console.press("Enter");
        assertThat(console.button("Yes, with its keys")).isFocused();
        console.press("Escape");
        assertThat(console.button("Delete")).isFocused();
        assertThat(call("GET", "/v1/keys?team=closing", null).getJsonArray("keys")).hasSize(1);
        console.press("Enter");
        console.press("Enter");
        assertThat(console.button("Yes, with its keys")).isFocused();
        console.press("Enter");
        assertThat(console.heading()).hasText("Teams");
        assertThat(call("GET", "/v1/keys?team=closing", null).getJsonArray("keys")).isEmpty();
    }

    @Test
    void limitsThatCameWithChecksAndShadowRulesAreToldApart() {
        for (int i = 0; i < 4; i++) {
            call("POST", "/v1/check", "{\"identifier\":\"shadow\",\"resource\":\"api:/hooks\",\"tier\":\"free\"}");
            http.post("/v1/check", "{\"identifier\":\"customer\",\"resource\":\"export\",\"rate\":\"3/hour\"}");
        }
        await().until(() -> call("GET", "/v1/windows?identifier=customer", null).encode().contains("\"limit\":3"));
        var console = signedIn().open("identifier/customer");
        assertThat(console.text("The next request gets 429")).isVisible();
        assertThat(console.table()).containsText("given with the check");
        console.open("identifier/shadow");
        assertThat(console.text("Full, but let through")).isVisible();
        assertThat(console.text("The next request gets 429")).hasCount(0);
        assertThat(console.text("The next request is admitted.")).isVisible();
    }

    @Test
    void callerIsToldWhichLevelRefuses() {
        call("PUT", "/v1/teams/tiny",
                "{\"limits\":{\"api\":\"1/hour\"},\"member_limits\":{\"llm\":{\"requests\":\"2/hour\"}}}");
        call("PUT", "/v1/users/una", "{\"teams\":[\"tiny\"]}");
        call("POST", "/v1/check", "{\"identifier\":\"team:tiny\",\"resource\":\"api\",\"rate\":\"1/hour\"}");
        call("POST", "/v1/check",
                "{\"identifier\":\"team:tiny/user:una\",\"resource\":\"llm\",\"rate\":\"2/hour\"}");
        var console = signedIn().open("identifier/user%3Auna");
        assertThat(console.text("A level refuses")).isVisible();
        var rows = console.page().getByRole(AriaRole.TABLE, new Page.GetByRoleOptions().setName("Limits of the levels"))
                .locator("tbody tr");
        assertThat(rows).hasCount(2);
        assertThat(rows.first()).containsText("team:tiny/user:una");
        assertThat(rows.last()).containsText("team:tiny");
        console.open("identifier/team%3Atiny%2Fuser%3Auna");
        assertThat(console.text("The limits for the member")).isVisible();
        assertThat(console.text("It cannot be read now")).hasCount(0);
        assertThat(console.table()).containsText("identity");
    }

    @Test
    void ruleThatBlocksTheTierIsListedWithoutAWindow() {
        call("POST", "/v1/check", "{\"identifier\":\"outsider\",\"resource\":\"api:/hooks\",\"tier\":\"free\"}");
        var console = signedIn().open("identifier/outsider?tier=free");
        assertThat(console.text("The next request is admitted.")).isVisible();
        assertThat(console.text("Blocked for tier free: api:/closed")).isVisible();
        var row = console.table().locator("tbody tr", new Locator.LocatorOptions().setHasText("api:/closed"));
        assertThat(row).containsText("blocked");
        assertThat(row).containsText("never");
        assertThat(row.getByRole(AriaRole.BUTTON)).hasCount(0);
        assertThat(console.button("Reset all windows")).hasCount(0);
        console.open("identifier/outsider?tier=pro");
        assertThat(console.table()).not().containsText("api:/closed");
    }

    /** Lets all requests for an address fail that do not change anything. */
    private static void failReads(ConsolePage console, String address) {
        console.page().route(Pattern.compile(address), route -> {
            if (route.request().method().equals("GET")) {
                route.fulfill(new Route.FulfillOptions().setStatus(503).setContentType("application/json")
                        .setBody("{\"error\":{\"code\":\"RATE_5002\",\"message\":\"Redis does not reply\"}}"));
            } else {
                route.resume();
            }
        });
    }

    @Test
    void textOfANewKeyStaysIfTheListCannotBeReadAgain() {
        var console = signedIn().open("keys");
        console.activate(console.summary("Create a key"));
        console.fill("Name for people", "kept");
        failReads(console, "/v1/keys\\?");
        console.page().waitForResponse(response -> response.status() == 503, () -> console.press("Enter"));
        console.page().unroute(Pattern.compile("/v1/keys\\?"));
        assertThat(console.field("Key")).isFocused();
        assertThat(console.field("Key")).hasValue(Pattern.compile("sk-sluice-.+"));
        console.fill("Search", "ke"); // the list of before
        assertThat(console.field("Key")).hasValue(Pattern.compile("sk-sluice-.+"));
        console.activate(console.link("Open this key"));
        assertThat(console.heading()).hasText("kept");
    }

    @Test
    void secondClickCreatesNoSecondKey() {
        call("PUT", "/v1/teams/clicked", "{}");
        var console = signedIn().open("keys?team=clicked");
        console.activate(console.summary("Create a key"));
        console.fill("Name for people", "clicked");
        console.button("Create key").dblclick();
        assertThat(console.field("Key")).isVisible();
        assertThat(console.field("Name for people")).isEmpty();
        assertThat(call("GET", "/v1/keys?team=clicked", null).getJsonArray("keys")).hasSize(1);

        console.activate(console.link("Open this key"));
        console.activate(console.button("Rotate"));
        console.press("Enter");
        assertThat(console.field("Key")).isFocused();
    }

    @Test
    void invalidRequestIsNotTriedAndItsFieldIsNamed() {
        var console = signedIn().open("rules");
        console.fill("Client address", "none");
        console.press("Enter");
        assertInvalid(console, "Client address");
        console.fill("Client address", "203.0.113.9").fill("Header fields", "X-API-Key");
        console.activate(console.button("Try it"));
        assertInvalid(console, "Header fields");
        assertThat(console.field("Client address")).not().hasAttribute("aria-invalid", "true");
        console.fill("Header fields", "X-API-Key: sk-sluice-unknown-0123456789");
        console.activate(console.button("Try it"));
        assertThat(console.text("It would get 401. The API key is unknown.")).isVisible();
        assertThat(console.text("No rule governs it")).hasCount(0);
    }

    @Test
    void viewThatCannotBeReadKeepsItsHeadingAndTheFocusUntilItCan() {
        var console = signedIn();
        failReads(console, "/v1/audit");
        console.navigate("audit");
        assertThat(console.heading()).hasText("Audit");
        assertThat(console.text("Redis does not reply. This page tries again.")).isVisible();
        assertThat(console.page()).hasTitle("Audit – Sluice");
        console.reach(console.link("Rules"));
        console.page().waitForResponse(response -> response.url().contains("/v1/audit"), () -> {
        });
        assertThat(console.link("Rules")).isFocused();
        console.page().unrouteAll();
        assertThat(console.text("Changes of keys, users")).isVisible(PATIENTLY);
        console.navigate("teams/absent");
        assertThat(console.heading()).hasText("team absent");
        assertThat(console.text("No such team")).isVisible();
    }

    @Test
    void tokenThatIsNoLongerValidIsAskedForAgain() {
        call("PUT", "/v1/teams/expiring", "{}");
        var console = signedIn().open("teams/expiring");
        console.page().evaluate("sessionStorage.setItem('sluice.admin-token', 'revoked')");
        console.activate(console.button("Sign in again"));
        assertThat(console.heading()).hasText("Sign in");
        assertThat(console.field("Admin token")).isFocused();
        console.type(ADMIN);
        console.press("Enter");
        assertThat(console.heading()).hasText("expiring");
    }

    @Test
    void moreRowsAreShownOnceAndTheFocusStays() {
        for (int i = 0; i < 250; i++) {
            call("PUT", "/v1/users/many-%03d".formatted(i), "{}");
        }
        var console = signedIn().open("users?prefix=many-");
        assertThat(console.text("100 shown.")).isVisible();
        console.button("Load more").dblclick();
        assertThat(console.text("200 shown.")).isVisible();
        assertThat(console.button("Load more")).isFocused();
        console.press("Enter");
        assertThat(console.text("250 shown.")).isVisible();
        assertThat(console.page().locator("main tbody tr")).hasCount(250);
    }

    @Test
    void onlyFieldsThatWereChangedAreSaved() {
        call("PUT", "/v1/teams/sales%2C%20emea", "{}");
        call("PUT", "/v1/users/comma", "{\"teams\":[\"sales, emea\"]}");
        var console = signedIn().open("users/comma");
        console.fill("Tier", "pro");
        console.press("Enter");
        await().until(() -> "pro".equals(call("GET", "/v1/users/comma", null).getString("tier")));
        assertThat(call("GET", "/v1/users/comma", null).getJsonArray("teams")).containsExactly("sales, emea");
    }

    @Test
    void failedSearchIsShownUntilOneSucceeds() {
        var console = signedIn().open("users");
        failReads(console, "/v1/users\\?");
        console.fill("Name begins with", "zz");
        assertThat(console.text("Redis does not reply")).isVisible();
        console.page().unrouteAll();
        console.fill("Name begins with", "zzz");
        assertThat(console.text("Nothing matches.")).isVisible();
        assertThat(console.text("Redis does not reply")).hasCount(0);
    }

    /** The answer to what was chosen first arrives after the answer to what was chosen last. */
    private static void chooseWithLateAnswer(ConsolePage console, String label, String first, String last, String address) {
        var held = new ArrayList<Route>();
        console.page().route(Pattern.compile(address + first), held::add);
        console.field(label).selectOption(first);
        console.page().waitForCondition(() -> !held.isEmpty());
        console.page().waitForResponse(response -> response.url().contains(last),
                () -> console.field(label).selectOption(last));
        console.page().waitForResponse(response -> response.url().contains(first), () -> held.forEach(Route::resume));
        console.page().evaluate("() => fetch('../openapi').then(answer => answer.text())"); // after what was answered before
    }

    @Test
    void lateAnswerReplacesNoLaterOne() {
        var console = signedIn().open("identifier/user%3Alate");
        chooseWithLateAnswer(console, "Limits of tier", "pro", "enterprise", "/v1/windows\\?.*tier=");
        assertThat(console.field("Limits of tier")).hasValue("enterprise");
        call("POST", "/v1/llm/usage", "{\"provider\":\"openai\",\"identifier\":\"user:late\",\"team\":\"late team\","
                + "\"model\":\"gpt-4o\",\"input_tokens\":10}");
        console.navigate("llm");
        chooseWithLateAnswer(console, "Group by", "provider", "team", "/v1/llm/spend\\?group_by=");
        assertThat(console.link("late team")).isVisible();
    }

    /** A view that is open for days replaces its charts every few seconds. */
    @Test
    void chartsThatWereReplacedAreReleased() {
        var console = signedIn();
        console.page().evaluate("""
                () => {
                  const original = uPlot;
                  window.alive = 0;
                  window.uPlot = Object.assign(function (...parameters) {
                    const chart = new original(...parameters);
                    const destroy = chart.destroy;
                    window.alive++;
                    chart.destroy = () => { window.alive--; destroy(); };
                    return chart;
                  }, original);
                }""");
        call("POST", "/v1/check", "{\"identifier\":\"a\",\"resource\":\"charted\",\"rate\":\"9/hour\"}");
        console.navigate("traffic");
        for (var minutes : List.of("1440", "60", "1440")) {
            console.page().waitForResponse(response -> response.url().contains("minutes=" + minutes),
                    () -> console.field("Period").selectOption(minutes));
            assertThat(console.page().locator(".chart canvas")).hasCount(1);
        }
        console.page().setViewportSize(700, 900);
        console.page().waitForFunction("() => window.alive === document.querySelectorAll('.chart canvas').length");
        console.navigate("rules");
        console.page().waitForFunction("() => window.alive === 0");
    }

    @Test
    void searchOfAListIsInTheAddress() {
        call("PUT", "/v1/users/searched", "{}");
        var console = signedIn();
        for (var kind : List.of("users", "keys")) {
            console.open(kind + "?team=shop");
            console.fill(kind.equals("keys") ? "Search" : "Name begins with", "sear");
            assertThat(console.page()).hasURL(Pattern.compile("#/" + kind + "\\?team=shop&prefix=sear$"));
            console.page().reload();
            assertThat(console.field(kind.equals("keys") ? "Search" : "Name begins with")).hasValue("sear");
        }
    }

    @Test
    void controlWithTheFocusIsNotBehindTheHeader() {
        call("POST", "/v1/check", "{\"identifier\":\"focused\",\"resource\":\"api:/hooks\",\"tier\":\"free\"}");
        for (int height : new int[]{700, 400}) {
            var console = newTab(newWindow(360, height, ColorScheme.LIGHT)).signIn(ADMIN).open("traffic");
            assertThat(console.table()).isVisible();
            // The last link is where the header is, and the control before it has the focus.
            console.page()
                    .evaluate("(() => { const [before, last] = [...document.querySelectorAll('main a, main button')].slice(-2);"
                            + " document.querySelector('main').style.paddingBottom = '100vh'; before.focus({ preventScroll: true });"
                            + " scrollBy(0, last.getBoundingClientRect().top - 70); })()");
            console.press("Tab");
            var distance = (Number) console.page()
                    .evaluate("document.activeElement.getBoundingClientRect().top"
                            + " - document.querySelector('header').getBoundingClientRect().bottom");
            assertThat(distance.doubleValue()).as("window of %s px", height).isNotNegative();
            assertThat((Boolean) console.page().evaluate("document.querySelector('main').contains(document.activeElement)"))
                    .isTrue();
        }
    }

    @Test
    void spendThatCannotBeReadIsSaidAtItsPlace() {
        call("PUT", "/v1/users/spender", "{}");
        call("POST", "/v1/check", "{\"identifier\":\"user:spender\",\"resource\":\"api:/hooks\",\"tier\":\"free\"}");
        var console = signedIn();
        failReads(console, "/v1/llm/");
        console.open("identifier/user%3Aspender");
        var spend = console.page().locator("section", new Page.LocatorOptions().setHas(console.page()
                .getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName("LLM spend of the last 24 hours"))));
        assertThat(spend).containsText("It cannot be read now");
        assertThat(console.table()).containsText("api:/hooks");
        console.page().unrouteAll();
        assertThat(spend).containsText("No LLM call in the last 24 hours", PATIENT);

        console.page().route(Pattern.compile("/v1/overview"), route -> {
            var overview = new JsonObject(route.fetch().text());
            overview.remove("llm");
            route.fulfill(new Route.FulfillOptions().setContentType("application/json").setBody(overview.encode()));
        });
        console.open("overview");
        assertThat(console.page().locator("section", new Page.LocatorOptions().setHasText("LLM spend")).first())
                .containsText("It cannot be read now");
        assertThat(console.page().locator(".figures").first()).containsText("Redis");
        assertThat(console.text("Rules that refuse most")).isVisible();
    }

    @Test
    void controlCharactersOfASearchAreShownByTheirNumber() {
        var console = signedIn().open("identifier");
        console.fill("Identifier", "user:\u202Elive");
        assertThat(console.page().locator(".hint", new Page.LocatorOptions().setHasText("With control characters")))
                .containsText("user:U+202Elive");
        console.fill("Identifier", "user:live");
        assertThat(console.page().locator(".hint", new Page.LocatorOptions().setHasText("With control characters"))).isHidden();
    }

    @Test
    void dotSegmentsAreNoRequests() {
        var console = signedIn();
        var requests = new ArrayList<String>();
        console.page().onRequest(request -> requests.add(request.url()));
        for (var view : List.of("teams/..", "users/%2e%2e", "keys/.")) {
            console.navigate(view);
            assertThat(console.text("a name cannot be . or ..")).isVisible();
            console.open("audit");
        }
        assertThat(requests).noneMatch(url -> url.matches(".*/v1/((keys|users|teams)/?)?(\\?.*)?"));
    }

    @Test
    void moreTabsThanConnectionsOfABrowserShareOneStream() {
        var window = newWindow();
        var tabs = new ArrayList<ConsolePage>();
        for (int i = 0; i < 8; i++) { // over HTTP/1.1 a browser has six connections to a host
            var console = newTab(window).signIn(ADMIN);
            tabs.add(console);
            assertThat(console.page().locator("#live-state")).containsText("Live", PATIENT);
        }
        tabs.get(0).page().close();
        var last = tabs.get(tabs.size() - 1);
        last.activate(last.link("Audit"));
        assertThat(last.heading()).hasText("Audit");
        assertThat(last.page().locator("#live-state")).containsText("Live", PATIENT);
    }

    @Test
    void tabReadsTheStreamItselfWithoutSharedWorkers() {
        for (var broken : List.of("delete window.SharedWorker",
                "window.SharedWorker = class { constructor() { throw new Error(); } }",
                "window.SharedWorker = class extends EventTarget { port = new MessageChannel().port1; }")) {
            var window = newWindow();
            window.addInitScript(broken);
            assertThat(newTab(window).signIn(ADMIN).page().locator("#live-state")).containsText("Live", PATIENT);
        }
    }

    @Test
    void reasonForWhichThereAreNoLiveFiguresIsShown() throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + sluice.port() + "/v1/events"))
                .header("Authorization", "Bearer " + ADMIN).build();
        var streams = new ArrayList<InputStream>();
        var console = signedIn();
        assertThat(console.page().locator("#live-state")).containsText("Live", PATIENT);
        console.activate(console.button("Sign out"));
        try {
            await().until(() -> { // the tab has left its stream
                closeAll(streams);
                HttpResponse<InputStream> response;
                do {
                    response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
                    streams.add(response.body());
                } while (response.statusCode() == 200);
                return streams.size() == 201;
            });
            console.signIn(ADMIN);
            assertThat(console.page().locator("#live-state")).containsText("Not live", PATIENT);
            assertThat(console.text("No live figures: There are 200 event streams")).isVisible(PATIENTLY);
        } finally {
            closeAll(streams);
        }
        assertThat(console.page().locator("#live-state")).containsText("Live", PATIENT);
        assertThat(console.text("No live figures")).hasCount(0);
    }

    private static void closeAll(List<InputStream> streams) throws IOException {
        for (var stream : streams) {
            stream.close();
        }
        streams.clear();
    }

    @Test
    void identifierTellsThatRedisIsAwayAndRecovers() {
        var port = redis.port();
        call("PUT", "/v1/users/away", "{\"limits\":{\"api\":\"500/hour\"}}");
        var console = signedIn();
        redis.close();
        try {
            await().until(() -> http.get("/v1/check").statusCode() > 0 && call("GET", "/v1/windows?identifier=user:away", null)
                    .getString("scope").equals("this_instance"));
            console.open("identifier/user%3Aaway");
            assertThat(console.text("The figures are of this instance only")).isVisible();
            assertThat(console.text("It cannot be read now")).isVisible();
            assertThat(console.text("No user of this name is stored")).hasCount(0);
        } finally {
            redis = RedisTestServer.start(port);
        }
        assertThat(console.text("No user of this name is stored")).isVisible(PATIENTLY); // the new server is empty
        assertThat(console.page().locator("main")).not().containsText(Pattern.compile("this instance only|cannot be read now"),
                PATIENT);
    }
}
