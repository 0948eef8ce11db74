package dev.sluice.attack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawHttpConnection;

/** Attacks on the LLM gateway. */
final class LlmAttacks {

    /** Calls with invented keys that reach a provider, per address. */
    static final int PER_ADDRESS = 60;
    private static final int PARALLEL = 120;
    /** Number of users whose budget has been attacked. */
    private static final AtomicInteger BUDGETS = new AtomicInteger();
    private static final String CHAT = "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private static final List<String> FOREIGN = List.of("access_token", "oauth_token", "callback");

    private LlmAttacks() {
    }

    private static String chat(String key) {
        return RawHttpConnection.post("/openai/v1/chat/completions", CHAT, "Authorization: Bearer " + key);
    }

    /** The provider rejects them; their windows are those of the address. */
    static String inventedKeys(Target target) throws Exception {
        target.openAi().expectKey("sk-of-nobody");
        long before = keys(target);
        Map<Integer, Integer> statuses;
        int calls;
        try {
            int earlier = target.openAi().requests().size();
            statuses = target.flood(target.nextAddress(), 300, number -> chat("sk-invented" + number));
            calls = target.openAi().requests().size() - earlier;
        } finally {
            target.openAi().expectKey(null);
        }
        assertThat(statuses.keySet()).containsExactly(401, 429);
        assertThat(calls).as("calls of the provider").isEqualTo(PER_ADDRESS);
        long more = keys(target) - before;
        assertThat(more).as("keys in Redis").isLessThan(40);
        return calls + " calls of the provider, " + more + " more keys in Redis";
    }

    private static long keys(Target target) throws Exception {
        var size = target.redis().send("DBSIZE");
        return Long.parseLong(size.substring(1));
    }

    /** Nothing is known of the caller's calls: each reserves 4,096 tokens of output for $0.04. */
    static String parallelCallsOnABudget(Target target) throws Exception {
        target.openAi().usage(TokenUsage.of(10, 4000)); // $0.040025
        var key = "key-of-user" + BUDGETS.incrementAndGet();
        var address = target.nextAddress();
        var admitted = new AtomicInteger();
        var denied = new AtomicInteger();
        var gate = target.openAi().gate();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < PARALLEL; i++) {
            threads.add(new Thread(() -> {
                try {
                    (target.send(address, chat(key)).status() == 200 ? admitted : denied).incrementAndGet();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }, "call " + i));
        }
        try {
            threads.forEach(Thread::start);
            Polling.await().until(() -> denied.get() >= PARALLEL - 24);
        } finally {
            gate.open();
        }
        for (var thread : threads) {
            thread.join(120_000);
        }
        assertThat(admitted.get() + denied.get()).isEqualTo(PARALLEL);
        assertThat(admitted.get()).as("admitted, each for $0.04").isBetween(1, 24);
        return admitted + " admitted, " + String.format(Locale.ROOT, "$%.2f", admitted.get() * 0.040025) + " spent";
    }

    /** Their usage is reported to a later request, which is never sent: each keeps its reservation of $0.04. */
    static String responsesInTheBackground(Target target) throws Exception {
        var address = target.nextAddress();
        var key = "Authorization: Bearer key-of-user" + BUDGETS.incrementAndGet();
        int admitted = 0;
        for (var background : Collections.nCopies(PARALLEL, List.of("true", "1", "\"true\"")).stream().flatMap(List::stream)
                .toList()) {
            target.openAi().respondNext(1, 200, "{\"id\":\"resp_" + admitted + "\",\"status\":\"queued\",\"usage\":null}");
            var response = target.send(address, RawHttpConnection.post("/openai/v1/responses",
                    "{\"model\":\"gpt-4o\",\"input\":\"Hi\",\"background\":" + background + "}", key));
            if (response.status() == 429) {
                break;
            }
            assertThat(response.status()).as(background).isEqualTo(200);
            admitted++;
        }
        target.openAi().reset();
        assertThat(admitted).as("admitted, each for $0.04").isBetween(1, 24);
        return admitted + " admitted, until the budget of $1 was reserved";
    }

    static String spellings(Target target) throws Exception {
        var address = target.nextAddress();
        int calls = target.openAi().requests().size();
        var paths = List.of("/v1/%63hat/completions", "/v1/chat%2fcompletions", "/v1/chat/completions/",
                "/v1//chat/completions", "/v1/chat/./completions", "/v1/chat/completions;a=b");
        for (var path : paths) {
            for (var key : List.of("key-of-user1", "sk-of-a-caller")) {
                var response = target.send(address,
                        RawHttpConnection.post("/openai" + path, CHAT, "Authorization: Bearer " + key));
                assertThat(response.status()).as(path).isIn(400, 403);
            }
        }
        assertThat(target.openAi().requests()).hasSize(calls);
        return paths.size() + " spellings, none of which reached the provider";
    }

    static String foreignCredentials(Target target) throws Exception {
        var address = target.nextAddress();
        int sent = 0;
        for (var name : FOREIGN) {
            for (int i = 0; i < 20; i++) {
                target.send(address, RawHttpConnection.post(
                        "/gemini/v1beta/models/gemini-2.5-flash:generateContent?" + name + "=x" + i,
                        "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}", "X-Goog-Api-Key: key-of-user1",
                        "X-Goog-User-Project: other", "OpenAI-Organization: other", "OpenAI-Project: other"));
                sent++;
            }
        }
        assertThat(target.gemini().requests()).allSatisfy(request -> {
            assertThat(FOREIGN).noneMatch(request.uri()::contains);
            assertThat(request.header("X-Goog-User-Project")).isNull();
            assertThat(request.header("OpenAI-Organization")).isNull();
            assertThat(request.header("OpenAI-Project")).isNull();
        });
        return sent + " requests, " + target.gemini().requests().size() + " of which reached the provider, without them";
    }
}
