package dev.sluice.config;

import java.time.Instant;

/**
 * Status of the rules file.
 *
 * @param valid whether its latest content is in force; if not, the last valid content still is
 * @param since time of the last change of the status or content
 * @param problem the first problem of an invalid file; null if it is valid
 */
public record RulesFileStatus(boolean valid, Instant since, String problem) {
}
