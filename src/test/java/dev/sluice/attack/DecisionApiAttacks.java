package dev.sluice.attack;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.TimeUnit;

import dev.sluice.testing.RawHttpConnection;

/** Attacks on the decision API without a token. Each has addresses of its own, which the rate per address does not deny. */
final class DecisionApiAttacks {

    private static final int PER_ADDRESS = 600;
    /** Growth of Redis's memory by one request, in bytes; a plain one for a new identifier adds 390. */
    private static final long MAX_BYTES_PER_REQUEST = 4096;
    private static final int WINDOWS = 1000;

    private DecisionApiAttacks() {
    }

    private static String check(String identifier, String resource, String rates, int cost) {
        return RawHttpConnection.post("/v1/check", String.format("{\"identifier\":\"%s\",\"resource\":\"%s\",\"rate\":\"%s\","
                + "\"cost\":%d}", identifier, resource, rates, cost));
    }

    /** Returns eight rates of different length. */
    private static String eight(int limit, long seconds) {
        var rates = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            rates.append(i == 0 ? "" : ";").append(limit).append('/').append(seconds - i).append('s');
        }
        return rates.toString();
    }

    static String alternateForms(Target target) throws Exception {
        var address = target.nextAddress();
        var name = "forms" + target.nextNumber();
        assertThat(target.send(address, check(name, "r", "10000/hour", 9000)).status()).isEqualTo(200);
        var statuses = target.flood(address, PER_ADDRESS + 100,
                number -> check(name, "r", (number % 2 == 0 ? 10_001 : 10_000) + "/hour", 1));
        assertThat(statuses.keySet()).containsExactly(200, 429);
        assertThat(statuses).containsEntry(200, PER_ADDRESS - 1);
        return statuses + " by status";
    }

    static String dearestRequest(Target target) throws Exception {
        var rates = eight(10_000, 3600);
        var name = "dear" + target.nextNumber() + '-';
        long before = target.info("memory", "used_memory");
        var statuses = target.flood(target.nextAddress(), PER_ADDRESS + 100,
                number -> check(name + number, "r", rates, 10_000));
        assertThat(statuses).isEqualTo(Map.of(200, PER_ADDRESS, 429, 100));
        long bytes = (target.info("memory", "used_memory") - before) / PER_ADDRESS;
        assertThat(bytes).as("bytes per request").isLessThan(MAX_BYTES_PER_REQUEST);
        return bytes + " bytes of Redis's memory per request";
    }

    static String memoryOfRedis(Target target) throws Exception {
        var name = "long" + target.nextNumber() + '-';
        long days = TimeUnit.DAYS.toSeconds(31);
        var statuses = target.flood(target.nextAddress(), PER_ADDRESS,
                number -> check(name + number, "r", eight(10_000, days), 10_000));
        assertThat(statuses).isEqualTo(Map.of(400, PER_ADDRESS));
        long before = target.info("memory", "used_memory");
        var single = target.flood(target.nextAddress(), PER_ADDRESS,
                number -> check(name + number, "r", "10000/" + days + "s", 10_000));
        assertThat(single).isEqualTo(Map.of(200, PER_ADDRESS));
        long bytes = (target.info("memory", "used_memory") - before) / PER_ADDRESS;
        assertThat(bytes).as("bytes per request").isLessThan(MAX_BYTES_PER_REQUEST);
        return "eight windows of 31 days are denied; one takes " + bytes + " bytes";
    }

    static String windowsOfOneIdentifier(Target target) throws Exception {
        long before = target.info("memory", "used_memory");
        var name = "windows" + target.nextNumber();
        int admitted = 0;
        for (int address = 0; address < 9; address++) {
            int first = address * PER_ADDRESS;
            var statuses = target.flood(target.nextAddress(), PER_ADDRESS,
                    number -> check(name, "r" + (first + number), "10/day", 1));
            admitted += statuses.getOrDefault(200, 0);
        }
        assertThat(admitted).as("windows of one identifier").isEqualTo(WINDOWS);
        return admitted + " windows, " + ((target.info("memory", "used_memory") - before) >> 10) + " KB of Redis's memory";
    }

    static String inventedUsage(Target target) throws Exception {
        var name = "usage" + target.nextNumber();
        long before = target.info("memory", "used_memory");
        var statuses = target.flood(target.nextAddress(), PER_ADDRESS + 100,
                number -> RawHttpConnection.post("/v1/llm/usage",
                        String.format("{\"identifier\":\"%s\",\"provider\":\"openai\",\"model\":\"m%d\",\"input_tokens\":1,"
                                + "\"output_tokens\":1,\"request_id\":\"%064d\"}", name, number, number)));
        assertThat(statuses).isEqualTo(Map.of(204, PER_ADDRESS, 429, 100));
        long bytes = (target.info("memory", "used_memory") - before) / PER_ADDRESS;
        assertThat(bytes).as("bytes per request").isLessThan(MAX_BYTES_PER_REQUEST);
        return bytes + " bytes of Redis's memory per request";
    }
}
