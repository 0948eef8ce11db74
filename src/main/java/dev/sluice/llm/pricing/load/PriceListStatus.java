package dev.sluice.llm.pricing.load;

import java.time.Instant;
import java.util.List;

/**
 * Status of the price list that is loaded at run time.
 *
 * @param source path of its file, or its URL without credentials
 * @param loadedAt time at which the list in force was loaded; null if none was, and the bundled prices hold
 * @param rows number of its rows in use
 * @param skippedRows number of its rows that are not valid
 * @param skipped for each of the first of these its model and the reason
 * @param problem why the latest attempt to load the list failed; null if it succeeded, or has not ended yet
 * @param failedAt time of this attempt; null if it succeeded
 */
public record PriceListStatus(String source, Instant loadedAt, int rows, int skippedRows, List<String> skipped, String problem,
        Instant failedAt) {
}
