package dev.sluice.config;

import java.time.Instant;

/**
 * How it is with the file of rows.
 *
 * @param valid whether what it says is in force; otherwise what it said before is
 * @param since when it was found so
 * @param problem the first thing that is wrong with it; null where nothing is
 */
public record RulesFileStatus(boolean valid, Instant since, String problem) {
}
