package dev.sluice.directory;

import java.util.List;

import org.jspecify.annotations.Nullable;

import io.vertx.core.json.JsonObject;

/**
 * Page of the audit log, newest first.
 *
 * @param entries the entries as written, with {@code id} and {@code timestamp} added
 * @param next id of the last entry of this page, if there are more; otherwise null
 */
public record AuditPage(List<JsonObject> entries, @Nullable String next) {
}
