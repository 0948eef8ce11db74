package dev.sluice.llm.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;

import dev.sluice.llm.ledger.UsageParts.Detail;
import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.pricing.CostParts.Group;
import dev.sluice.llm.pricing.CostParts.Part;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageKind;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** The parts of the cost in the hash of an hour, and what older versions and older data have to do with them. */
class LedgerPartsTest {

    /** Fields that the version before the parts has read; it ignores all others. */
    private static final Pattern FIELDS_OF_OLDER_VERSIONS = Pattern.compile("([^:]*):([a-z]):(.*)", Pattern.DOTALL);
    private static final String MODEL = "ft:gpt-4o:acme::id";
    private static final List<Part> PARTS = List.of(new Part("input", Group.INPUT, 300, 3000),
            new Part("audio_input", Group.INPUT, 100, 4000), new Part("cached_input", Group.CACHED_INPUT, 500, 50),
            new Part("cache_write", Group.CACHE_WRITE, 60, 120), new Part("cache_write_1h", Group.CACHE_WRITE, 40, 160),
            new Part("output", Group.OUTPUT, 20, 600), new Part("image_output", Group.OUTPUT, 5, 700),
            new Part("web_search", Group.NONE, 2, 20));
    private static final long COST = 8650;

    private static LedgerEntry detailed() {
        return new LedgerEntry("user:a", "openai", MODEL, new TokenUsage(1000, 500, 100, 40, 25), COST, false, null, -1, PARTS);
    }

    private static LedgerEntry undetailed() {
        return new LedgerEntry("user:a", "openai", MODEL, new TokenUsage(1000, 500, 100, 40, 25), COST, false, null);
    }

    /** Returns the fields that book.lua writes. */
    private static Map<String, String> hash(LedgerEntry... entries) {
        var hash = new LinkedHashMap<String, String>();
        for (var entry : entries) {
            var pairs = LedgerHash.increments(LedgerSum.of(entry));
            for (int i = 0; i < pairs.size(); i += 2) {
                hash.merge("openai:" + pairs.get(i) + ':' + MODEL, pairs.get(i + 1),
                        (one, other) -> new BigInteger(one).add(new BigInteger(other)).toString());
            }
        }
        return hash;
    }

    private static UsageTotals read(Map<String, String> hash) {
        var report = new UsageReport("user:a", 1);
        LedgerHash.addTo(hash, report);
        return report.providers().get("openai").get(MODEL);
    }

    private static Detail tokens(long tokens, long picodollars) {
        return new Detail(tokens, null, BigInteger.valueOf(picodollars));
    }

    @Test
    void partsAreReadAsTheyWereWritten() {
        var totals = read(hash(detailed(), detailed()));
        assertThat(totals).isEqualTo(UsageTotals.of(detailed()).plus(UsageTotals.of(detailed())));
        assertThat(totals.details()).containsExactly(entry("audio_input", tokens(200, 8000)),
                entry("cache_write", tokens(120, 240)), entry("cache_write_1h", tokens(80, 320)),
                entry("cached_input", tokens(1000, 100)), entry("image_output", tokens(10, 1400)),
                entry("input", tokens(600, 6000)), entry("output", tokens(40, 1200)),
                entry("web_search", new Detail(null, 4L, BigInteger.valueOf(40))));
    }

    @Test
    void plainCallNeedsOneFieldForEachKind() {
        var call = new LedgerEntry("user:a", "openai", MODEL, TokenUsage.of(10, 5), 7, false, null, -1,
                List.of(new Part("input", Group.INPUT, 10, 3), new Part("output", Group.OUTPUT, 5, 4)));
        assertThat(hash(call)).containsOnly(entry("openai:c:" + MODEL, "1"), entry("openai:i:" + MODEL, "10"),
                entry("openai:o:" + MODEL, "5"), entry("openai:p:" + MODEL, "7"), entry("openai:p.input:" + MODEL, "3"),
                entry("openai:p.output:" + MODEL, "4"));
    }

    @Test
    void olderVersionsIgnoreTheParts() {
        var known = new HashMap<>(hash(detailed()));
        known.keySet().removeIf(field -> !FIELDS_OF_OLDER_VERSIONS.matcher(field).matches());
        assertThat(known).isEqualTo(hash(undetailed()));
    }

    @Test
    void costOfOlderVersionsIsInNoKind() {
        assertThat(read(hash(undetailed())).details()).containsExactly(entry("cache_write", tokens(100, 0)),
                entry("cached_input", tokens(500, 0)), entry("input", tokens(400, 0)),
                entry("other", new Detail(null, null, BigInteger.valueOf(COST))), entry("output", tokens(25, 0)));
        var both = read(hash(undetailed(), detailed())).details();
        assertThat(both).containsEntry("other", new Detail(null, null, BigInteger.valueOf(COST)))
                .containsEntry("input", tokens(700, 3000)).containsEntry("audio_input", tokens(100, 4000));
    }

    @Test
    void unpricedCallHasQuantitiesWithoutACost() {
        var cost = CostParts.unpriced(Map.of(UsageKind.AUDIO_INPUT, 7L, UsageKind.WEB_SEARCH, 3L));
        var call = new LedgerEntry("user:a", "openai", MODEL, TokenUsage.of(10, 5), cost.picodollars(), false, null, -1,
                cost.parts());
        var totals = read(hash(call));
        assertThat(totals.unpriced()).isEqualTo(1);
        assertThat(totals.details()).containsExactly(entry("audio_input", tokens(7, 0)), entry("input", tokens(3, 0)),
                entry("output", tokens(5, 0)), entry("web_search", new Detail(null, 3L, BigInteger.ZERO)));
    }

    /** It is beside the cost of the call, and no part of it. */
    @Test
    void reportedCostIsNoPartOfTheSum() {
        var cost = new CostParts(PARTS, COST).withReported(7_000_000_000L);
        assertThat(cost.picodollars()).isEqualTo(COST);
        var call = new LedgerEntry("user:a", "openai", MODEL, new TokenUsage(1000, 500, 100, 40, 25), COST, false, null, -1,
                cost.parts());
        var totals = read(hash(call, call, detailed()));
        assertThat(totals.toMap()).containsEntry("reported_cost_usd", "0.014");
        assertThat(totals.details()).isEqualTo(read(hash(detailed(), detailed(), detailed())).details());
        assertThat(read(hash(detailed())).toMap()).doesNotContainKey("reported_cost_usd");
    }

    @Test
    void kindsOfNewerVersionsAreShown() {
        var hash = new HashMap<>(hash(detailed()));
        hash.put("openai:qi.video_input:" + MODEL, "50");
        hash.put("openai:p.video_input:" + MODEL, "500");
        hash.put("openai:p.grounding:" + MODEL, "5");
        hash.put("openai:p:" + MODEL, Long.toString(COST + 505));
        hash.put("openai:qi.BAD:" + MODEL, "9");
        hash.put("openai:qx.video_input:" + MODEL, "9");
        hash.put("openai:p.input:" + MODEL, "not a number");
        var details = read(hash).details();
        assertThat(details).containsEntry("video_input", tokens(50, 500)).containsEntry("input", tokens(250, 0))
                .containsEntry("grounding", new Detail(null, 0L, BigInteger.valueOf(5)))
                .containsEntry("other", new Detail(null, null, BigInteger.valueOf(3000))).doesNotContainKey("BAD");
    }

    /** Whatever share of the calls has parts. */
    @Property
    void detailsSumToTheTotals(@ForAll @Size(max = 20) List<@IntRange(min = 0, max = 2) Integer> calls) {
        var entries = calls.stream().map(kind -> kind == 0
                ? undetailed()
                : kind == 1
                        ? detailed()
                        : new LedgerEntry("user:a", "openai", MODEL, TokenUsage.of(10, 5), -1, false, null))
                .toArray(LedgerEntry[]::new);
        if (entries.length == 0) {
            return;
        }
        var totals = read(hash(entries));
        var cost = BigInteger.ZERO;
        long tokens = 0;
        for (var detail : totals.details().values()) {
            cost = cost.add(detail.picodollars());
            tokens += detail.tokens() == null ? 0 : detail.tokens();
        }
        assertThat(cost).isEqualTo(totals.picodollars());
        assertThat(tokens).isEqualTo(totals.input() + totals.output());
    }
}
