package dev.sluice.service.api.prices;

import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.llm.pricing.PriceListing;
import dev.sluice.llm.pricing.load.PriceListStatus;

/** Body of the response to {@code GET /v1/prices}. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "LlmPrices")
record PricesResponse(@Schema(description = "The day, in UTC, on which these prices hold", examples = "2026-11-29") String day,
        @Schema(description = "The day, in UTC, on which the bundled prices were imported", examples = "2026-11-28") String bundledAsOf,
        @Schema(description = "Prices by provider and model") List<Price> prices,
        @Schema(description = "Why no price is returned; absent if there is one") String reason,
        @Schema(description = "Price list that is loaded at run time; absent if none is configured") ListStatus list) {

    private static final String UNPRICED = "The model has no price: its calls are counted as unpriced, and are denied under a"
            + " budget unless rate-limit.llm.unpriced=allow. Set its price (rate-limit.llm.<provider>.prices), or load a"
            + " price list (RATE_LIMIT_LLM_PRICES)";

    /** Price of a model. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "LlmPrice")
    record Price(String provider,
            @Schema(description = "Name of the entry, of which the requested model may be an alias") String model,
            @Schema(description = "Exact US dollars per million tokens, by kind of tokens") Map<String, String> prices,
            @Schema(description = "Prices of calls that have other ones") List<Tier> tiers,
            @Schema(description = "US dollars by what is counted beside tokens") Map<String, String> fees,
            @Schema(description = "What the prices of tokens are multiplied by") Map<String, String> factors,
            @Schema(description = "First day, in UTC; absent if unlimited") String from,
            @Schema(description = "Last day, in UTC; absent if unlimited") String until,
            @Schema(description = "bundled, settings, file and line in the rules file, or the price list") String source) {

        static Price of(PriceListing row) {
            return new Price(row.provider(), row.model(), row.prices(), row.tiers().stream()
                    .map(tier -> new Tier(tier.serviceTier(), tier.abovePromptTokens(), tier.prices())).toList(), row.fees(),
                    row.factors(), text(row.from()), text(row.until()), row.source());
        }
    }

    /** Prices of calls in a tier of service with more than a number of input tokens. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "LlmPriceTier")
    record Tier(@Schema(description = "Tier of service", examples = "flex") String serviceTier,
            @Schema(description = "Number of input tokens that the call exceeds") long abovePromptTokens,
            Map<String, String> prices) {
    }

    /** Status of the price list. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "LlmPriceList")
    record ListStatus(@Schema(description = "File, or URL without credentials") String source,
            @Schema(description = "Time at which the list in force was loaded (ISO 8601); absent while the bundled prices hold") String loadedAt,
            @Schema(description = "Number of rows in use") int rows,
            @Schema(description = "Number of rows that are not valid") int skippedRows,
            @Schema(description = "The first of these, with the reason") List<String> skipped,
            @Schema(description = "Why the latest attempt to load the list failed; absent if it succeeded") String problem,
            @Schema(description = "Time of this attempt (ISO 8601)") String failedAt) {

        static ListStatus of(PriceListStatus status) {
            return new ListStatus(status.source(), text(status.loadedAt()), status.rows(), status.skippedRows(),
                    status.skipped(), status.problem(), text(status.failedAt()));
        }
    }

    private static final String NO_ROWS = "The provider has no price rows. With rate-limit.llm.<provider>.prices=free, its calls are"
            + " free; otherwise they are counted as unpriced, and are denied under a budget";

    /** @param ofModel whether the prices of one model were asked for */
    static PricesResponse of(LocalDate day, LocalDate bundledAsOf, List<PriceListing> rows, boolean ofModel,
            Optional<PriceListStatus> list) {
        return new PricesResponse(day.toString(), bundledAsOf.toString(), rows.stream().map(Price::of).toList(),
                rows.isEmpty() ? ofModel ? UNPRICED : NO_ROWS : null, list.map(ListStatus::of).orElse(null));
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }
}
