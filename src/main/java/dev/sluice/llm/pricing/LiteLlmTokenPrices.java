package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderType;
import dev.sluice.llm.protocol.ServiceTier;

/** Prices of a model's tokens by tier of service and length of the prompt, from a row of LiteLLM's price list. */
final class LiteLlmTokenPrices {

    private static final Set<String> MODES_WITHOUT_OUTPUT = Set.of("embedding", "moderation");
    private static final Pattern TIER_FIELD = Pattern
            .compile("([a-z0-9_]+?)(?:_above_([0-9]{1,6})k_tokens)?(?:_(flex|priority|ultrafast))?");
    private static final long TOKENS_PER_K = 1000;
    private static final BigDecimal LONG_CACHE_WRITE_FACTOR = BigDecimal.valueOf(2);

    /** End of the name of a field with a price of a tier. */
    private record Suffix(String text, PriceTier tier) {
    }

    private final Provider provider;
    private final LiteLlmFields fields;
    private final Map<TokenKind, BigDecimal> listed;

    /** @param mode the model's mode in the list */
    LiteLlmTokenPrices(Provider provider, String mode, LiteLlmFields fields) {
        this.provider = provider;
        this.fields = fields;
        this.listed = listed("");
        if (MODES_WITHOUT_OUTPUT.contains(mode)) {
            listed.putIfAbsent(TokenKind.OUTPUT, BigDecimal.ZERO);
        }
        if (listed.containsKey(TokenKind.IMAGE_OUTPUT)) { // of models that output images only
            listed.putIfAbsent(TokenKind.OUTPUT, listed.get(TokenKind.IMAGE_OUTPUT));
        }
    }

    /** Returns the prices that the list contains, per million tokens. */
    Map<TokenKind, BigDecimal> listed() {
        return listed;
    }

    /** Returns whether the tokens of a call have a price: those of its input and those of its output. */
    boolean isComplete() {
        return listed.containsKey(TokenKind.INPUT) && listed.containsKey(TokenKind.OUTPUT);
    }

    /** Returns the prices in the standard tier, with those that the list does not contain. */
    Map<TokenKind, BigDecimal> standard() {
        return complete(listed, Map.of());
    }

    SortedMap<PriceTier, Map<TokenKind, BigDecimal>> tiers() {
        var prices = standard();
        var tiers = new TreeMap<PriceTier, Map<TokenKind, BigDecimal>>();
        for (var suffix : suffixes()) { // the standard tier first, and shorter prompts first
            var listedInTier = listed(suffix.text());
            if (listedInTier.isEmpty()) {
                continue;
            }
            var reference = tiers.getOrDefault(new PriceTier(ServiceTier.STANDARD, suffix.tier().above()), prices);
            tiers.put(suffix.tier(), complete(listedInTier, reference));
        }
        addLongPrompts(tiers);
        return tiers;
    }

    /**
     * Adds prices of long prompts in the tiers of service for which the list has none: the dearer ones of the tier of service and of
     * long prompts.
     */
    private static void addLongPrompts(SortedMap<PriceTier, Map<TokenKind, BigDecimal>> tiers) {
        var standard = tiers.keySet().stream().filter(tier -> tier.service() == ServiceTier.STANDARD).toList();
        var services = tiers.keySet().stream().map(PriceTier::service).filter(service -> service != ServiceTier.STANDARD)
                .distinct().toList();
        for (var service : services) {
            for (var tier : standard) {
                var base = tiers.get(new PriceTier(service, 0));
                tiers.computeIfAbsent(new PriceTier(service, tier.above()),
                        missing -> base == null ? tiers.get(tier) : PriceRow.max(base, tiers.get(tier)));
            }
        }
    }

    /** Returns the prices per million tokens of the row or of one of its tiers that the list contains. */
    private Map<TokenKind, BigDecimal> listed(String suffix) {
        var prices = new EnumMap<TokenKind, BigDecimal>(TokenKind.class);
        for (var kind : TokenKind.values()) {
            var price = fields.perMillion(kind.liteLlmField() + suffix);
            if (price != null) {
                prices.put(kind, price);
            }
        }
        return prices;
    }

    /**
     * Adds the prices that the list does not contain, so that none is cheaper than known: for cached input and cache writes those of
     * input, in a tier those that it replaces.
     *
     * @param base the prices that those of a tier replace; otherwise empty
     */
    private Map<TokenKind, BigDecimal> complete(Map<TokenKind, BigDecimal> known, Map<TokenKind, BigDecimal> base) {
        var prices = new EnumMap<>(known);
        var input = prices.computeIfAbsent(TokenKind.INPUT, base::get);
        base.forEach((kind, amount) -> {
            var cached = kind == TokenKind.CACHED_INPUT || kind == TokenKind.CACHE_WRITE;
            prices.computeIfAbsent(kind, missing -> cached ? input.max(amount) : amount);
        });
        for (var kind : List.of(TokenKind.CACHED_INPUT, TokenKind.CACHE_WRITE)) {
            prices.putIfAbsent(kind, input);
        }
        if (provider.is(ProviderType.ANTHROPIC) && !known.containsKey(TokenKind.CACHE_WRITE_1H)) {
            prices.put(TokenKind.CACHE_WRITE_1H, input.multiply(LONG_CACHE_WRITE_FACTOR).stripTrailingZeros());
        }
        return prices;
    }

    /** Returns the suffixes of the fields with prices of tiers, such as {@code _above_200k_tokens_flex}. */
    private SortedSet<Suffix> suffixes() {
        var suffixes = new TreeSet<Suffix>(Comparator.comparing(Suffix::tier));
        for (var field : fields.amounts().keySet()) {
            var matcher = TIER_FIELD.matcher(field);
            if (matcher.matches() && isKind(matcher.group(1)) && matcher.end(1) < field.length()) {
                var above = matcher.group(2);
                var service = matcher.group(3);
                suffixes.add(new Suffix(field.substring(matcher.end(1)),
                        new PriceTier(
                                service == null ? ServiceTier.STANDARD : ServiceTier.valueOf(service.toUpperCase(Locale.ROOT)),
                                above == null ? 0 : TOKENS_PER_K * Long.parseLong(above))));
            }
        }
        return suffixes;
    }

    private static boolean isKind(String field) {
        for (var kind : TokenKind.values()) {
            if (kind.liteLlmField().equals(field)) {
                return true;
            }
        }
        return false;
    }
}
