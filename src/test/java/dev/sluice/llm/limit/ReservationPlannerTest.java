package dev.sluice.llm.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.time.Duration;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.config.RulesDocument;
import dev.sluice.identity.chain.ChainLevel;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.identity.chain.LlmRates;
import dev.sluice.identity.chain.OwnLimits;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.policy.LlmPolicySnapshot;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.policy.Tiers;
import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.mutiny.Uni;

/** Tests what calls reserve. Prices in nanodollars per token: 1000 for input, 10,000 for output. */
class ReservationPlannerTest {

    private static final String PREFIX = "rate-limit.llm.openai.";
    private static final LocalDate DAY = LocalDate.of(2026, 11, 1);
    private static final String TOKENS = "llm:openai:tokens";
    private static final String INPUT = "llm:openai:input-tokens";
    private static final String OUTPUT = "llm:openai:output-tokens";
    private static final String BUDGET = "llm:openai:budget";

    private final Map<String, String> settings = new HashMap<>(Map.of(PREFIX + "prices.\"m\".input", "1",
            PREFIX + "prices.\"m\".output", "10", PREFIX + "budget.free", "1/day", PREFIX + "tokens.free", "1000000/minute"));
    private long nanos = 5;
    private ReservationPlanner planner;

    private LlmPolicySnapshot snapshot() {
        var config = new SmallRyeConfigBuilder().withMapping(LlmConfig.class)
                .withSources(new PropertiesConfigSource(settings, "settings", 100))
                .withConverter(MemorySize.class, 100, new MemorySizeConverter())
                .withConverter(Duration.class, 100, new DurationConverter()).build().getConfigMapping(LlmConfig.class);
        return new LlmPolicySnapshot(config, RulesDocument.EMPTY,
                new Tiers(List.of("free"), Map.of("free", Rate.parse("7/minute"))));
    }

    private PlannedCall plan(String identifier, long input, long maxOutput, int choices) {
        if (planner == null) {
            var snapshot = snapshot();
            planner = new ReservationPlanner(() -> snapshot,
                    (provider, model) -> snapshot.prices().find(provider, model, DAY).orElse(null),
                    new OutputEstimates((caller, provider, model, from, to) -> Uni.createFrom().nothing(), () -> 1,
                            () -> nanos),
                    true, () -> nanos);
        }
        return planner.plan(new LlmCallEstimate(Provider.OPENAI, identifier, "free", "m", input, maxOutput, choices),
                tier -> List.of());
    }

    private PlannedCall plan(long maxOutput) {
        return plan("user:a", 100, maxOutput, 1);
    }

    private static long reserved(PlannedCall call, String resource) {
        return call.requests().get(0).checks().stream().filter(check -> check.resource().equals(resource)).findFirst()
                .orElseThrow()
                .cost();
    }

    private static List<String> resources(PlannedCall call) {
        return call.requests().get(0).checks().stream().map(ResourceCheck::resource).toList();
    }

    private static void assertReserves(PlannedCall call, long tokens, long nanodollars) {
        assertThat(reserved(call, TOKENS)).isEqualTo(tokens);
        assertThat(reserved(call, BUDGET)).isEqualTo(nanodollars);
    }

    @Test
    void smallMaximumIsReservedAsAWhole() {
        for (int i = 0; i < 3; i++) { // at once
            assertReserves(plan(800), 900, 100_000 + 8_000_000);
            assertReserves(plan(4096), 4196, 100_000 + 40_960_000);
        }
        assertReserves(plan(0), 100, 100_000);
    }

    @Test
    void largeMaximumIsReservedUpToTheCap() {
        var call = plan(64_000);
        assertReserves(call, 4196, 41_060_000);
        assertThat(call.usage()).isEqualTo(TokenUsage.of(100, 4096));
    }

    @Test
    void capHoldsForEachChoice() {
        assertReserves(plan("user:a", 100, 3 * 64_000, 3), 100 + 3 * 4096, 100_000 + 3 * 40_960_000);
    }

    @Test
    void onlyOneCallInFlightReservesLessOfABudgetThanItMayCost() {
        var first = plan(64_000);
        for (int i = 0; i < 100; i++) {
            assertReserves(plan(64_000), 4196, 640_100_000);
        }
        first.underReserved().run();
        assertReserves(plan(64_000), 4196, 41_060_000);
        assertReserves(plan(64_000), 4196, 640_100_000);
        assertReserves(plan("user:b", 100, 64_000, 1), 4196, 41_060_000);
    }

    @Test
    void deniedCallMakesRoomForTheNext() {
        plan(64_000).cancel();
        assertReserves(plan(64_000), 4196, 41_060_000);
    }

    private PlannedCall plan(LlmCallEstimate call) {
        plan("user:other", 0, 0, 1);
        return planner.plan(call, tier -> List.of());
    }

    /** At most 16,384 tokens of output and 128,000 of input, at 2.50 and 10 dollars per million. */
    private static LlmCallEstimate gpt4o(long maxOutput, boolean background, boolean inputElsewhere, String... further) {
        return new LlmCallEstimate(Provider.OPENAI, "user:a", "free", "gpt-4o", 100, maxOutput, 2, UsageDetails.NONE, false,
                background, inputElsewhere, List.of(further));
    }

    @Test
    void reservationIsBoundedByTheModel() {
        settings.put(PREFIX + "reserve", "full");
        settings.put(PREFIX + "budget.free", "10/day");
        assertReserves(plan(gpt4o(60_000, false, false)), 100 + 2 * 16_384, 250_000 + 2 * 163_840_000);
        assertReserves(plan(gpt4o(30_000, false, false)), 30_100, 250_000 + 300_000_000);
    }

    /** Its usage is known much later. */
    @Test
    void callInTheBackgroundReservesAllThatItMayUse() {
        for (int i = 0; i < 3; i++) { // at once
            assertReserves(plan(gpt4o(-1, true, false)), 100 + 2 * 16_384, 250_000 + 2 * 163_840_000);
            assertReserves(plan(gpt4o(9000, true, false)), 9100, 250_000 + 90_000_000);
        }
    }

    @Test
    void onlyOneCallInFlightMayHaveAnInputOfUnknownSize() {
        var first = plan(gpt4o(100, false, true));
        assertReserves(first, 200, 250_000 + 1_000_000);
        assertReserves(plan(gpt4o(100, false, true)), 200, 320_000_000 + 1_000_000);
        assertReserves(plan(gpt4o(100, false, false)), 200, 250_000 + 1_000_000);
        first.underReserved().run();
        assertReserves(plan(gpt4o(100, false, true)), 200, 250_000 + 1_000_000);
    }

    @Test
    void theDearestOfTheModelsThatMayAnswerIsReserved() {
        assertReserves(plan(gpt4o(100, false, false, "gpt-4o-mini", "gpt-4")), 200, 3_000_000 + 6_000_000);
        settings.put(PREFIX + "models.\"gpt-4\".requests.free", "1000/minute");
        planner = null;
        var denied = plan(gpt4o(100, false, false, "gpt-4")); // has a rule of its own
        assertThat(denied.requests().get(0).checks().get(0).rate()).isEqualTo(Rate.BLOCKED);
        for (var unpriced : new String[]{"", "no-such-model"}) {
            assertThat(plan(gpt4o(100, false, false, "gpt-4o-mini", unpriced)).unpriced()).isTrue();
        }
    }

    @Test
    void detachedCallEndsWithItsOwnReservationOnce() {
        var detached = new DetachedCalls();
        detached.add("r-1", plan(64_000));
        detached.add("r-2", plan(800));
        for (var other : new String[]{"r-2", "r-3", null}) {
            detached.end(other);
            assertReserves(plan(64_000), 4196, 640_100_000);
        }
        detached.end("r-1");
        assertReserves(plan(64_000), 4196, 41_060_000);
        detached.end("r-1"); // has ended: the slot is that of another call
        assertReserves(plan(64_000), 4196, 640_100_000);
    }

    @Test
    void callThatIsNeverReportedEndsAfterAnHour() {
        plan(64_000);
        nanos += UnderReservedCalls.MAX_CALL_NANOS - 1;
        assertReserves(plan(64_000), 4196, 640_100_000);
        nanos++;
        assertReserves(plan(64_000), 4196, 41_060_000);
    }

    /** Calls at once that use all that they may: the budget is exceeded by what one of them costs. */
    @Test
    void budgetIsExceededByOneCallAtMost() {
        long reserved = 0;
        long spent = 0;
        for (int i = 0; i < 100; i++) {
            var call = plan(20_000);
            if (reserved + reserved(call, BUDGET) <= 1_000_000_000) {
                reserved += reserved(call, BUDGET);
                spent += 100_000 + 200_000_000;
            } else {
                call.cancel();
            }
        }
        assertThat(spent).isEqualTo(5 * 200_100_000L).isBetween(1_000_000_000L, 1_000_000_000L + 200_100_000L);
    }

    @Test
    void withoutABudgetAnyNumberReservesLess() {
        settings.remove(PREFIX + "budget.free");
        for (int i = 0; i < 3; i++) {
            assertThat(reserved(plan(64_000), TOKENS)).isEqualTo(4196);
        }
    }

    @Test
    void eachDirectionReservesItsTokens() {
        settings.put(PREFIX + "input-tokens.free", "1000/minute");
        settings.put(PREFIX + "output-tokens.free", "5000/minute");
        var call = plan(800);
        assertReserves(call, 900, 8_100_000);
        assertThat(reserved(call, INPUT)).isEqualTo(100);
        assertThat(reserved(call, OUTPUT)).isEqualTo(800);
        assertThat(call.windows().units(new TokenUsage(90, 50, 20, 0, 7), 3))
                .isEqualTo(Map.of(TOKENS, 97L, INPUT, 90L, OUTPUT, 7L, BUDGET, 3L));
        assertThat(reserved(plan(64_000), OUTPUT)).isEqualTo(4096);
        assertThat(reserved(plan(0), OUTPUT)).isZero();
    }

    @Test
    void onlyLimitsThatApplyAreReserved() {
        settings.remove(PREFIX + "budget.free");
        settings.remove(PREFIX + "tokens.free");
        settings.put(PREFIX + "output-tokens.free", "500/minute");
        settings.put(PREFIX + "models.\"m\".input-tokens.free", "900/minute");
        var call = plan(64_000);
        assertThat(resources(call)).containsExactly("llm:openai", INPUT + "/m", OUTPUT);
        assertThat(call.windows().kinds())
                .isEqualTo(Map.of(INPUT + "/m", LimitKind.INPUT_TOKENS, OUTPUT, LimitKind.OUTPUT_TOKENS));
        settings.remove(PREFIX + "output-tokens.free");
        settings.remove(PREFIX + "models.\"m\".input-tokens.free");
        planner = null;
        assertThat(resources(plan(64_000))).containsExactly("llm:openai");
    }

    /** Output without a maximum is observed if only output is limited. */
    @Test
    void limitOfOutputReservesWhatIsTypical() {
        settings.remove(PREFIX + "budget.free");
        settings.remove(PREFIX + "tokens.free");
        settings.put(PREFIX + "output-tokens.free", "50000/minute");
        var call = plan(-1);
        assertThat(call.uncapped()).isNotNull();
        assertThat(reserved(call, OUTPUT)).isEqualTo(4096);
    }

    /** Of tokens whose split is not known, all may be input, and all may be output. */
    @Test
    void totalIsReservedInBothDirections() {
        settings.put(PREFIX + "input-tokens.free", "1000/minute");
        settings.put(PREFIX + "output-tokens.free", "1000/minute");
        var call = plan(new LlmCallEstimate(Provider.OPENAI, "user:a", "free", "m", 0, 300));
        assertThat(reserved(call, TOKENS)).isEqualTo(300);
        assertThat(reserved(call, INPUT)).isEqualTo(300);
        assertThat(reserved(call, OUTPUT)).isEqualTo(300);
    }

    @Test
    void fullReservesTheWholeMaximum() {
        settings.put(PREFIX + "reserve", "full");
        assertReserves(plan(64_000), 64_100, 640_100_000);
        assertReserves(plan(64_000), 64_100, 640_100_000);
    }

    @Test
    void capIsConfigurable() {
        settings.put(PREFIX + "max-reserved-output", "500");
        assertReserves(plan(64_000), 600, 5_100_000);
        assertReserves(plan(500), 600, 5_100_000);
    }

    @Test
    void callWithoutAMaximumIsCappedToo() {
        settings.put(PREFIX + "max-reserved-output", "500");
        assertReserves(plan(-1), 600, 5_100_000);
        assertReserves(plan(-1), 600, 41_060_000); // of the budget, what is typical
    }

    @Test
    void configuredEstimateRaisesTheCap() {
        settings.put(PREFIX + "output-estimate", "20000");
        assertReserves(plan(-1), 20_100, 200_100_000);
        assertReserves(plan(-1), 20_100, 200_100_000);
    }

    @Test
    void invalidCapIsReported() {
        settings.put(PREFIX + "max-reserved-output", "0");
        assertThat(snapshot().problems().lines().toString())
                .contains("rate-limit.llm.openai.max-reserved-output", "0", "tokens, 1 to 100000000");
    }

    private static IdentityChain chain() {
        var team = new OwnLimits(null,
                new LlmRates(Rate.parse("60/minute"), null, Rate.parse("2/day", QuotaUnit.NANODOLLARS)), Map.of(),
                Map.of("m*", new LlmRates(null, Rate.parse("5000/minute", QuotaUnit.TOKENS), null), "m",
                        new LlmRates(null, Rate.parse("9000/minute", QuotaUnit.TOKENS), null)));
        return new IdentityChain("k", "a", "growth", null, List.of(new ChainLevel("team:growth", team)), List.of());
    }

    private static LlmCallEstimate ofChain(String user, IdentityChain chain) {
        return new LlmCallEstimate(Provider.OPENAI, "user:" + user, "free", "m", 100, 64_000, 1).withChain(chain);
    }

    @Test
    void everyLevelReservesTheSame() {
        var call = plan(ofChain("a", chain()));

        assertReserves(call, 4196, 41_060_000);
        var team = call.requests().subList(1, call.requests().size());
        assertThat(team).extracting(RateLimitRequest::identifier).containsOnly("team:growth");
        assertThat(team.stream().flatMap(request -> request.checks().stream()))
                .extracting(ResourceCheck::resource, ResourceCheck::cost)
                .containsExactly(tuple("llm", 1L), tuple("llm:budget", 41_060_000L), tuple("llm:tokens/m", 4196L));
        assertThat(call.windows().identifiers()).containsExactly("user:a", "team:growth");
        assertThat(call.windows().units(TokenUsage.of(3, 4), 9)).isEqualTo(
                Map.of(TOKENS, 7L, "llm:tokens/m", 7L, BUDGET, 9L, "llm:budget", 9L));
    }

    /** The budget of a team has one call in flight that reserves less than it may cost, whoever of its users makes it. */
    @Test
    void budgetOfALevelHasOneUnderReservedCall() {
        var first = plan(ofChain("a", chain()));
        assertReserves(plan(ofChain("b", chain())), 4196, 640_100_000);
        first.underReserved().run();
        assertReserves(plan(ofChain("b", chain())), 4196, 41_060_000);
    }

    @Test
    void modelsOfEveryLevelMustAllowTheCall() {
        var chain = new IdentityChain(null, "a", null, null, List.of(), List.of(List.of("m", "other"), List.of("o*")));
        assertThat(plan(ofChain("a", chain)).requests().get(0).checks().get(0).rate()).isEqualTo(Rate.BLOCKED);
    }
}
