package dev.sluice.faults;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.Instance;
import dev.sluice.testing.faults.BurstScenario;
import dev.sluice.testing.faults.BurstScenario.Disturbance;
import dev.sluice.testing.faults.BusyLoops;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.faults.InstanceStartup;
import dev.sluice.testing.faults.RedisNode;
import io.vertx.core.json.JsonObject;

/**
 * Bursts on instances that have just started, with default settings and a healthy Redis. An instance that is slow, because it
 * is cold, short of CPU time or suspended, must not consider Redis unavailable.
 *
 * <p>
 * {@code -Dsluice.faults.rounds=50} sets the number of rounds of a test, half of which run beside busy loops: 12 by
 * default, of which the first are cold; then the class takes about 80 seconds on two cores. The figures are in
 * {@code target/bursts.md}.
 */
class BurstFaults {

    private static final int ROUNDS = Integer.getInteger("sluice.faults.rounds", 12);
    private static final int BUSY_LOOP_COUNT = 4;
    private static final long[] SUSPENDED_MILLIS = {150, 300, 500};

    private final RedisNode redis = RedisNode.server();

    @AfterEach
    void stop() {
        redis.close();
    }

    private void runBursts(String name, InstanceGroup fleet, int rounds, Disturbance disturbance) throws Exception {
        try (var bursts = new BurstScenario(name, fleet.instances())) {
            bursts.rounds(rounds, disturbance).verify();
        }
    }

    @Test
    void coldInstances() throws Exception {
        try (var fleet = InstanceGroup.sharing(redis)) {
            runBursts("three cold instances", fleet, ROUNDS, Disturbance.NONE);
        }
    }

    @Test
    void coldInstancesBesideBusyLoops() throws Exception {
        try (var fleet = InstanceGroup.sharing(redis); var loops = new BusyLoops(BUSY_LOOP_COUNT)) {
            runBursts("three cold instances beside " + loops.count() + " busy loops", fleet, ROUNDS / 2, Disturbance.NONE);
        }
    }

    /** A suspended instance may respond late. */
    @Test
    void instancesSuspendedInTurn() throws Exception {
        try (var fleet = InstanceGroup.sharing(redis)) {
            int size = fleet.instances().size();
            runBursts("instances suspended (SIGSTOP) in turn, 150 to 500 ms", fleet, ROUNDS, (number, burst) -> {
                burst.awaitStarted(number % size);
                fleet.suspend(number % size, Duration.ofMillis(SUSPENDED_MILLIS[number / size % SUSPENDED_MILLIS.length]));
            });
        }
    }

    @Test
    void secondInstanceJoinsWhileLimitIsUsed() {
        int limit = 500;
        joinDuringBurst("a second instance joins, limit of " + limit, Map.of(), limit, "/v1/check", BurstScenario.check(limit));
    }

    @Test
    void secondInstanceJoinsWhileBudgetIsUsed() {
        var environment = Map.of("RATE_LIMIT_LLM_OPENAI_API_KEY", "sk-of-sluice", "RATE_LIMIT_LLM_OPENAI_BASE_URL",
                "http://127.0.0.1:1", "RATE_LIMIT_LLM_OPENAI_REQUESTS_PRO", "unlimited", "RATE_LIMIT_LLM_OPENAI_BUDGET_PRO",
                "1/day");
        // 1,000 tokens of gpt-4o reserve one cent at the output price of 10 dollars per million.
        var body = new JsonObject().put("provider", "openai").put("identifier", "of-one-dollar").put("tier", "pro")
                .put("model", "gpt-4o").put("tokens", 1000);
        joinDuringBurst("a second instance joins, budget of 1 dollar", environment, 100, "/v1/llm/check", body);
    }

    private void joinDuringBurst(String name, Map<String, String> settings, int limit, String path, JsonObject body) {
        var environment = redis.environment(settings);
        try (var first = Instance.start(environment);
                var second = new InstanceStartup(environment);
                var bursts = new BurstScenario(name, List.of(first))) {
            bursts.join(second, limit, path, body).verify();
        }
    }
}
