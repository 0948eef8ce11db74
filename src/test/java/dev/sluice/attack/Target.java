package dev.sluice.attack;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import dev.sluice.identity.Sha256;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.Instance;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.llm.GeminiStub;
import dev.sluice.testing.llm.OpenAiStub;

/**
 * Two instances that share a Redis, in front of an API and of LLM providers, with the decision API open beside them. The attacks
 * go to the first instance.
 */
final class Target implements AutoCloseable {

    /** Connections of one address at a time; an attack with more CPU time than the target proves nothing. */
    private static final int PARALLEL = 4;

    private final RedisTestServer redis = RedisTestServer.start();
    private final RawUpstream upstream = new RawUpstream();
    private final OpenAiStub openAi = new OpenAiStub();
    private final GeminiStub gemini = new GeminiStub();
    private final JwtKeys jwt = new JwtKeys();
    private final List<Instance> instances = new ArrayList<>();
    private final AtomicInteger numbers = new AtomicInteger();

    Target() {
        openAi.usage(TokenUsage.of(100, 20));
        for (int i = 0; i < 2; i++) {
            instances.add(Instance.start(environment()));
        }
    }

    private Map<String, String> environment() {
        var jwtSettings = jwt.start();
        var environment = new HashMap<>(
                Map.ofEntries(Map.entry("REDIS_HOST", "127.0.0.1"), Map.entry("REDIS_PORT", Integer.toString(redis.port())),
                        Map.entry("UPSTREAM_URL", "http://127.0.0.1:" + upstream.port()),
                        Map.entry("RATE_LIMIT_DEFAULT", Bystander.LIMIT + "/hour"), Map.entry("RATE_LIMIT_CHECK_OPEN", "true"),
                        Map.entry("RATE_LIMIT_CHECK_RATE", "600/minute"),
                        Map.entry("QUARKUS_HTTP_LIMITS_MAX_CONNECTIONS", "400"),
                        Map.entry("RATE_LIMIT_CONNECTIONS_HEAD_TIMEOUT", "5s"),
                        Map.entry("MP_JWT_VERIFY_PUBLICKEY", jwtSettings.get("mp.jwt.verify.publickey")),
                        Map.entry("MP_JWT_VERIFY_ISSUER", jwtSettings.get("mp.jwt.verify.issuer")),
                        Map.entry("RATE_LIMIT_LLM_OPENAI_BASE_URL", openAi.baseUrl() + "/v1"),
                        Map.entry("RATE_LIMIT_LLM_OPENAI_API_KEY", "sk-of-sluice"),
                        Map.entry("RATE_LIMIT_LLM_OPENAI_PASS_THROUGH", "true"),
                        Map.entry("RATE_LIMIT_LLM_OPENAI_BUDGET_PRO", "1/day"),
                        Map.entry("RATE_LIMIT_LLM_OPENAI_REQUESTS_PRO", "unlimited"),
                        Map.entry("RATE_LIMIT_LLM_OPENAI_TOKENS_PRO", "unlimited"),
                        Map.entry("RATE_LIMIT_LLM_GEMINI_BASE_URL", gemini.baseUrl()),
                        Map.entry("RATE_LIMIT_LLM_GEMINI_API_KEY", "gemini-of-sluice"),
                        Map.entry("RATE_LIMIT_LLM_OPENAI_REQUESTS_FREE", "1000/minute"),
                        Map.entry("RATE_LIMIT_LLM_UNPROVEN_KEYS", LlmAttacks.PER_ADDRESS + "/day")));
        for (int i = 1; i <= SluiceAttack.ROUNDS; i++) {
            environment.put("RATE_LIMIT_API_KEYS_K" + i + "_SHA256", Sha256.hex("key-of-user" + i));
            environment.put("RATE_LIMIT_API_KEYS_K" + i + "_USER", "user" + i);
            environment.put("RATE_LIMIT_API_KEYS_K" + i + "_TIER", "pro");
        }
        return environment;
    }

    /** Returns a number that no attack has had: attacks may be repeated. */
    int nextNumber() {
        return numbers.incrementAndGet();
    }

    /** Returns a loopback address that no attack has had. */
    String nextAddress() {
        int number = nextNumber();
        return "127.1." + number / 250 + '.' + (1 + number % 250);
    }

    Instance first() {
        return instances.get(0);
    }

    List<Instance> instances() {
        return instances;
    }

    RedisTestServer redis() {
        return redis;
    }

    RawUpstream upstream() {
        return upstream;
    }

    OpenAiStub openAi() {
        return openAi;
    }

    GeminiStub gemini() {
        return gemini;
    }

    JwtKeys jwt() {
        return jwt;
    }

    /** Sends a request to the first instance over a connection of its own. */
    RawHttpConnection.Response send(String address, String request) throws IOException {
        try (var connection = new RawHttpConnection(first().port(), address)) {
            connection.send(request);
            return connection.readResponse();
        }
    }

    /** Creates the request with a number, from 0. */
    @FunctionalInterface
    interface Requests {

        String get(int number);
    }

    /** Sends requests of one address over four connections, and returns their number by status. */
    Map<Integer, Integer> flood(String address, int count, Requests requests) throws InterruptedException {
        var statuses = new ConcurrentSkipListMap<Integer, Integer>();
        var next = new AtomicInteger();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < PARALLEL; i++) {
            threads.add(new Thread(() -> {
                try (var connection = new RawHttpConnection(first().port(), address)) {
                    for (int number = next.getAndIncrement(); number < count; number = next.getAndIncrement()) {
                        connection.send(requests.get(number));
                        statuses.merge(connection.readResponse().status(), 1, Integer::sum);
                    }
                } catch (IOException e) {
                    statuses.merge(0, 1, Integer::sum);
                }
            }, "flood " + i));
        }
        threads.forEach(Thread::start);
        for (var thread : threads) {
            thread.join(TimeUnit.MINUTES.toMillis(2));
        }
        return statuses;
    }

    /** Returns Redis's own count of a section of {@code INFO}. */
    long info(String section, String field) throws IOException {
        try (var connection = new RawHttpConnection(redis.port())) {
            connection.send("INFO " + section + "\r\n");
            for (var line = connection.readLine();; line = connection.readLine()) {
                if (line.startsWith(field + ':')) {
                    return Long.parseLong(line.substring(field.length() + 1).replaceAll("\\D.*", ""));
                }
            }
        }
    }

    @Override
    public void close() {
        instances.forEach(Instance::close);
        redis.close();
        upstream.close();
        openAi.close();
        gemini.close();
    }
}
