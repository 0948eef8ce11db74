package dev.sluice.testing.faults;

import java.util.List;

import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import io.vertx.core.json.JsonObject;

/** Reads the store mode of an instance from its management interface, and mode changes from its log. */
final class InstanceStatus {

    private InstanceStatus() {
    }

    /** Returns the mode that the readiness check reports. */
    static String mode(Instance instance) {
        var checks = new JsonObject(management(instance, "/q/health/ready")).getJsonArray("checks");
        return checks.stream().map(JsonObject.class::cast).filter(check -> "rate-limit-store".equals(check.getString("name")))
                .map(check -> check.getJsonObject("data").getString("mode")).findFirst().orElseThrow();
    }

    /** Returns whether the metrics report that the store is available. */
    static boolean available(Instance instance) {
        return management(instance, "/q/metrics").contains("\nrate_limit_store_available 1.0");
    }

    private static String management(Instance instance, String path) {
        return new HttpTestClient(instance.managementPort()).get(path).body();
    }

    /** Returns the lines of the log, beginning with one of them. */
    static List<String> log(Instance instance, int from) {
        var lines = instance.log().lines().toList();
        return lines.subList(Math.min(from, lines.size()), lines.size());
    }

    /** Returns whether the line reports that the instance has left Redis. */
    static boolean isOutage(String line) {
        return line.contains("WARN") && line.contains("Redis is unavailable");
    }

    /** Returns whether the line reports that the instance is back on Redis. */
    static boolean isRecovery(String line) {
        return line.contains("INFO") && line.contains("Redis is available again");
    }

    /** Returns whether the line reports that the instance, and not Redis, was slow. */
    static boolean isStall(String line) {
        return line.contains("INFO") && line.contains("This instance stalled, not Redis");
    }

    /** Returns whether the line reports a mode change or anything else that needs attention. */
    static boolean needsAttention(String line) {
        return isOutage(line) || isRecovery(line) || line.contains("WARN") || line.contains("ERROR");
    }
}
