package dev.sluice.llm.protocol;

import java.util.List;
import java.util.Map;

/**
 * Parts of a call's usage that make its cost differ from that of its tokens.
 *
 * @param quantities quantities with prices of their own, each 0 to {@link TokenUsage#MAX}; absent for 0
 * @param tier tier of service in which the call was processed
 * @param fast whether Anthropic's fast mode generated the output
 * @param region region in which Anthropic was required to process the call, such as {@code us}; empty for any
 * @param iterations calls of models of which the call consisted, if the response lists them: they use its tokens; otherwise empty
 * @param image quality and size of the generated images, such as {@code hd/1024x1792} or {@code 1024x1024}; empty if unknown
 */
public record UsageDetails(Map<UsageKind, Long> quantities, ServiceTier tier, boolean fast, String region,
        List<Iteration> iterations, String image) {

    /** Creates details of a call that generates no images. */
    public UsageDetails(Map<UsageKind, Long> quantities, ServiceTier tier, boolean fast, String region,
            List<Iteration> iterations) {
        this(quantities, tier, fast, region, iterations, "");
    }

    /**
     * Call of a model within a call.
     *
     * @param model the model; null for that of the response
     * @param usage its tokens
     */
    public record Iteration(String model, TokenUsage usage) {
    }

    /** Returns whether there are units, by which some models are billed instead of by tokens. */
    public boolean hasUnits() {
        return quantities.keySet().stream().anyMatch(UsageKind::isUnit);
    }

    /** Returns the same without quantities. */
    public UsageDetails withoutQuantities() {
        return new UsageDetails(Map.of(), tier, fast, region, iterations);
    }

    /** Returns the same without iterations. */
    public UsageDetails withoutIterations() {
        return iterations.isEmpty() ? this : new UsageDetails(quantities, tier, fast, region, List.of(), image);
    }

    /** Text tokens in the standard tier only. */
    public static final UsageDetails NONE = new UsageDetails(Map.of(), ServiceTier.STANDARD, false, "", List.of());
}
