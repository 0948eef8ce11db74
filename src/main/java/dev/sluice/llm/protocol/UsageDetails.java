package dev.sluice.llm.protocol;

import java.util.EnumMap;
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
 * @param image quality and size of the generated images as requested, such as {@code hd/1024x1792}, {@code 1024x1024} or
 * {@code hd/}; empty if the request has neither
 * @param reportedPicodollars cost that the provider reports, in 10⁻¹² US dollars; 0 if it reports none
 */
public record UsageDetails(Map<UsageKind, Long> quantities, ServiceTier tier, boolean fast, String region,
        List<Iteration> iterations, String image, long reportedPicodollars) {

    /** Creates details of a call whose cost the provider does not report. */
    public UsageDetails(Map<UsageKind, Long> quantities, ServiceTier tier, boolean fast, String region,
            List<Iteration> iterations, String image) {
        this(quantities, tier, fast, region, iterations, image, 0);
    }

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
     * @param quantities parts of its tokens with prices of their own
     * @param tool whether the model is that of a tool, which a configured price of the call's model does not concern
     */
    public record Iteration(String model, TokenUsage usage, Map<UsageKind, Long> quantities, boolean tool) {

        /** Creates a call that uses text only. */
        public Iteration(String model, TokenUsage usage) {
            this(model, usage, Map.of(), false);
        }
    }

    /** Returns whether there are units, by which some models are billed instead of by tokens. */
    public boolean hasUnits() {
        return quantities.keySet().stream().anyMatch(UsageKind::isUnit);
    }

    /** Returns the details of one of the iterations. */
    public UsageDetails of(Iteration iteration) {
        return new UsageDetails(iteration.quantities(), tier, fast, region, List.of());
    }

    /** Returns the same with the quantities of others that have fees: of what a call has used before it was cut. */
    public UsageDetails withFees(UsageDetails others) {
        if (others.quantities().keySet().stream().noneMatch(UsageKind::isFee)) {
            return this;
        }
        var all = new EnumMap<UsageKind, Long>(UsageKind.class);
        all.putAll(quantities);
        others.quantities().forEach((kind, quantity) -> {
            if (kind.isFee()) {
                all.put(kind, quantity);
            }
        });
        return new UsageDetails(all, tier, fast, region, iterations, image, reportedPicodollars);
    }

    /**
     * Returns the same with the number of images that were generated.
     *
     * @param images 0 if it is not known, so that the requested number counts
     */
    public UsageDetails withImages(long images) {
        if (images == 0 || !quantities.containsKey(UsageKind.IMAGE)) {
            return this;
        }
        var all = new EnumMap<UsageKind, Long>(UsageKind.class);
        all.putAll(quantities);
        all.put(UsageKind.IMAGE, images);
        return new UsageDetails(all, tier, fast, region, iterations, image, reportedPicodollars);
    }

    /** Returns the same with a quality and a size where the request has none. */
    public UsageDetails withImageDefaults(String quality, String size) {
        int slash = image.indexOf('/');
        var requested = image.substring(slash + 1);
        return new UsageDetails(quantities, tier, fast, region, iterations,
                (slash < 0 ? quality : image.substring(0, slash)) + '/' + (requested.isEmpty() ? size : requested),
                reportedPicodollars);
    }

    /** Returns the same without iterations of models that have answered in place of the requested one. */
    public UsageDetails ofRequestedModel() {
        return iterations.stream().anyMatch(Iteration::tool) ? this : withoutIterations();
    }

    /** Returns the same without iterations. */
    public UsageDetails withoutIterations() {
        return iterations.isEmpty()
                ? this
                : new UsageDetails(quantities, tier, fast, region, List.of(), image, reportedPicodollars);
    }

    /** Returns the same with the cost that the provider reports. */
    UsageDetails withReported(long picodollars) {
        return picodollars == reportedPicodollars
                ? this
                : new UsageDetails(quantities, tier, fast, region, iterations, image, picodollars);
    }

    /** Text tokens in the standard tier only. */
    public static final UsageDetails NONE = new UsageDetails(Map.of(), ServiceTier.STANDARD, false, "", List.of());
}
