package dev.sluice.llm.pricing;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import dev.sluice.llm.pricing.CostParts.Group;
import dev.sluice.llm.protocol.ServiceTier;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.llm.protocol.UsageKind;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

/** Verifies, for any prices, usage and factors, that the parts of a cost sum exactly to it, and what each of them is. */
class CostPartsPropertiesTest {

    private static final List<TokenKind> KINDS = List.of(TokenKind.INPUT, TokenKind.AUDIO_INPUT, TokenKind.IMAGE_INPUT,
            TokenKind.CACHED_INPUT, TokenKind.CACHE_WRITE, TokenKind.CACHE_WRITE_1H, TokenKind.OUTPUT, TokenKind.AUDIO_OUTPUT,
            TokenKind.IMAGE_OUTPUT);

    /** Price in millionths of a dollar per million tokens: a picodollar per token. */
    private static ModelPrice price(List<Integer> prices, int search, BigDecimal fast, BigDecimal region) {
        var amounts = new EnumMap<TokenKind, BigDecimal>(TokenKind.class);
        for (int i = 0; i < KINDS.size(); i++) {
            amounts.put(KINDS.get(i), BigDecimal.valueOf(prices.get(i), 6));
        }
        var factors = new TreeMap<String, BigDecimal>();
        factors.put(CallPrices.FAST, fast);
        factors.put("us", region);
        return new ModelPrice("m", TokenPrices.of(amounts), Map.of(),
                new CallPrices(Map.of(UsageKind.WEB_SEARCH, BigDecimal.valueOf(search, 6)), factors, UnitPrices.NONE));
    }

    @Property
    void partsSumExactlyToTheCost(@ForAll @Size(9) List<@IntRange(min = 0, max = 1_000_000_000) Integer> prices,
            @ForAll @Size(9) List<@IntRange(min = 0, max = 1_000_000) Integer> tokens,
            @ForAll @IntRange(min = 0, max = 100_000_000) int search, @ForAll @IntRange(min = 0, max = 1000) int searches,
            @ForAll @IntRange(min = 1_000_000, max = 6_000_000) int fastMillionths,
            @ForAll @IntRange(min = 1_000_000, max = 2_000_000) int regionMillionths, @ForAll boolean isFast,
            @ForAll boolean isUs) {
        var fast = BigDecimal.valueOf(fastMillionths, 6);
        var region = BigDecimal.valueOf(regionMillionths, 6);
        var byKind = new EnumMap<TokenKind, Long>(TokenKind.class);
        for (int i = 0; i < KINDS.size(); i++) {
            byKind.put(KINDS.get(i), (long) tokens.get(i));
        }
        long cached = byKind.get(TokenKind.CACHED_INPUT);
        long written = byKind.get(TokenKind.CACHE_WRITE) + byKind.get(TokenKind.CACHE_WRITE_1H);
        long input = byKind.get(TokenKind.INPUT) + byKind.get(TokenKind.AUDIO_INPUT) + byKind.get(TokenKind.IMAGE_INPUT)
                + cached
                + written;
        long output = byKind.get(TokenKind.OUTPUT) + byKind.get(TokenKind.AUDIO_OUTPUT) + byKind.get(TokenKind.IMAGE_OUTPUT);
        var usage = new TokenUsage(input, cached, written, byKind.get(TokenKind.CACHE_WRITE_1H), output);
        var details = new UsageDetails(Map.of(UsageKind.AUDIO_INPUT, byKind.get(TokenKind.AUDIO_INPUT), UsageKind.IMAGE_INPUT,
                byKind.get(TokenKind.IMAGE_INPUT), UsageKind.AUDIO_OUTPUT, byKind.get(TokenKind.AUDIO_OUTPUT),
                UsageKind.IMAGE_OUTPUT, byKind.get(TokenKind.IMAGE_OUTPUT), UsageKind.WEB_SEARCH, (long) searches),
                ServiceTier.STANDARD, isFast, isUs ? "us" : "", List.of());

        var cost = price(prices, search, fast, region).cost(usage, details);

        var exact = BigDecimal.ZERO;
        for (int i = 0; i < KINDS.size(); i++) {
            exact = exact.add(BigDecimal.valueOf(prices.get(i)).multiply(BigDecimal.valueOf(tokens.get(i))));
        }
        var total = exact.multiply(isFast ? fast : BigDecimal.ONE).setScale(0, RoundingMode.CEILING)
                .multiply(isUs ? region : BigDecimal.ONE).setScale(0, RoundingMode.CEILING)
                .add(BigDecimal.valueOf(search).movePointRight(3).multiply(BigDecimal.valueOf(searches)));
        assertThat(BigDecimal.valueOf(cost.picodollars())).isEqualByComparingTo(total);
        assertThat(cost.parts().stream().mapToLong(CostParts.Part::picodollars).sum()).isEqualTo(cost.picodollars());
        assertThat(sum(cost, Group.INPUT)).isEqualTo(input - cached - written);
        assertThat(sum(cost, Group.CACHED_INPUT)).isEqualTo(cached);
        assertThat(sum(cost, Group.CACHE_WRITE)).isEqualTo(written);
        assertThat(sum(cost, Group.OUTPUT)).isEqualTo(output);
        assertThat(sum(cost, Group.NONE)).isEqualTo(searches);
        var factor = (isFast ? fast : BigDecimal.ONE).multiply(isUs ? region : BigDecimal.ONE);
        for (int i = 0; i < KINDS.size(); i++) {
            var kind = KINDS.get(i);
            var own = BigDecimal.valueOf(prices.get(i)).multiply(BigDecimal.valueOf(tokens.get(i))).multiply(factor);
            cost.parts().stream().filter(part -> part.kind().equals(kind.field())).forEach(part -> {
                assertThat(part.quantity()).isEqualTo(byKind.get(kind));
                assertThat(part.picodollars()).isNotNegative();
                // two roundings by less than one, of which the first is multiplied
                assertThat(own.subtract(BigDecimal.valueOf(part.picodollars())).abs()).isLessThan(BigDecimal.valueOf(3));
            });
        }
    }

    private static long sum(CostParts cost, Group group) {
        return cost.parts().stream().filter(part -> part.group() == group).mapToLong(CostParts.Part::quantity).sum();
    }

    @Property
    void sumOfCallsHasOnePartOfEachKind(@ForAll @Size(9) List<@IntRange(min = 0, max = 1_000_000_000) Integer> prices,
            @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 1_000_000) Integer> calls) {
        var price = price(prices, 0, BigDecimal.ONE, BigDecimal.ONE);
        var sum = CostParts.NONE;
        for (long tokens : calls) {
            sum = sum.plus(price.cost(new TokenUsage(3 * tokens, tokens, tokens, 0, tokens), UsageDetails.NONE));
        }
        long all = calls.stream().mapToLong(Integer::longValue).sum();
        var kinds = new ArrayList<String>();
        sum.parts().forEach(part -> kinds.add(part.kind() + ' ' + part.quantity()));
        assertThat(kinds).containsExactly("input " + all, "cached_input " + all, "cache_write " + all, "output " + all);
        assertThat(sum.parts().stream().mapToLong(CostParts.Part::picodollars).sum()).isEqualTo(sum.picodollars());
        long perToken = (long) prices.get(0) + prices.get(3) + prices.get(4) + prices.get(6);
        assertThat(sum.picodollars()).isEqualTo(all * perToken);
    }

    @Property
    void unitsSumExactlyToTheCost(@ForAll @LongRange(min = 0, max = TokenUsage.MAX) long characters,
            @ForAll @LongRange(min = 0, max = TokenUsage.MAX) long milliseconds,
            @ForAll @IntRange(min = 0, max = 1000) int images,
            @ForAll @IntRange(min = 0, max = 1_000_000_000) int perCharacter,
            @ForAll @IntRange(min = 0, max = 1_000_000_000) int perSecond) {
        var image = new BigDecimal("0.04");
        var units = new UnitPrices(BigDecimal.valueOf(perCharacter, 6), BigDecimal.valueOf(perSecond, 6),
                new TreeMap<>(Map.of("", image)));
        var quantities = new EnumMap<UsageKind, Long>(
                Map.of(UsageKind.CHARACTER, characters, UsageKind.AUDIO_MILLISECOND, milliseconds, UsageKind.IMAGE,
                        (long) images));
        var cost = units.cost(new UsageDetails(quantities, ServiceTier.STANDARD, false, "", List.of(), ""));
        var exact = BigDecimal.valueOf(perCharacter).multiply(BigDecimal.valueOf(characters))
                .add(BigDecimal.valueOf(perSecond).multiply(BigDecimal.valueOf(milliseconds)).movePointLeft(3))
                .add(image.movePointRight(12).multiply(BigDecimal.valueOf(images)));
        assertThat(BigDecimal.valueOf(cost.picodollars())).isEqualByComparingTo(exact.setScale(0, RoundingMode.CEILING));
        assertThat(cost.parts().stream().mapToLong(CostParts.Part::picodollars).sum()).isEqualTo(cost.picodollars());
    }
}
