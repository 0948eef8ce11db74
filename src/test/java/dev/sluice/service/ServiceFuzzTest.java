package dev.sluice.service;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

import jakarta.inject.Inject;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.FuzzProfile;
import dev.sluice.testing.FuzzedUpstream;
import dev.sluice.testing.Fuzzer;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.SingleThreadEventLoop;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;

/**
 * Malformed requests to every endpoint of the running service, and malformed responses from upstreams: each gets a response or
 * its connection is closed in time; no internal error occurs, no internals or input are revealed, and no state grows.
 */
@QuarkusTest
@TestProfile(FuzzProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(JwtKeys.class)
@WithTestResource(FuzzedUpstream.class)
class ServiceFuzzTest {

    private static final int SHARE = 30;
    /** Many, because most wait: for a response to end, or for a timeout. */
    private static final int THREADS = 48;
    private static final int TIMEOUT_MILLIS = 60_000;
    private static final long MAX_HEAP_GROWTH_BYTES = 64 << 20;
    private static final int MAX_METERS = 1500;

    private static final Pattern FIELD = Pattern.compile("\"field\":\"[^\"]{0,64}\"");
    private static final Pattern INTERNALS = Pattern
            .compile("dev\\.sluice|java\\.|io\\.vertx|jakarta|quarkus|Exception|\\tat ");

    private static final List<String> CREDENTIALS = List.of("X-Fuzzed: 1", "Authorization: Bearer admin-secret",
            "Authorization: Bearer key-of-wealthy", "X-API-Key: key-of-pro", "Authorization: Bearer sk-of-the-caller",
            "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIiwiZXhwIjo5OTk5OTk5OTk5fQ.c2ln",
            "X-Forwarded-For: 203.0.113.9, 127.0.0.1", "X-User-Id: proxied\r\nX-User-Tier: pro",
            "Accept: application/problem+json", "Forwarded: for=\"[2001:db8::1]\"");

    private record Endpoint(String line, String body) {
    }

    private static final List<Endpoint> ENDPOINTS = List.of(
            new Endpoint("POST /v1/check",
                    "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":10,\"window_seconds\":60,\"cost\":1}"),
            new Endpoint("POST /v1/check", "{\"identifier\":\"b\",\"resource\":\"api:/campaigns\",\"tier\":\"pro\"}"),
            new Endpoint("POST /v1/check", "{\"identifier\":\"user:c\",\"resource\":\"r\",\"rate\":\"10/second;100/minute\"}"),
            new Endpoint("GET /v1/usage?identifier=a&resource=r&window_seconds=60", null),
            new Endpoint("GET /v1/limits?identifier=a", null),
            new Endpoint("DELETE /v1/limits?identifier=a&resource=r", null),
            new Endpoint("POST /v1/llm/check",
                    "{\"provider\":\"openai\",\"identifier\":\"a\",\"tier\":\"pro\",\"model\":\"gpt-4o\",\"tokens\":12}"),
            new Endpoint("POST /v1/llm/usage",
                    "{\"provider\":\"openai\",\"identifier\":\"a\",\"model\":\"gpt-4o\",\"input_tokens\":9,"
                            + "\"reservation\":\"r-0123456789abcdef0123456789abcdef-60\",\"request_id\":\"q\"}"),
            new Endpoint("GET /v1/llm/usage?identifier=a&hours=24", null), new Endpoint("GET /q/openapi?format=json", null),
            new Endpoint("POST /openai/v1/chat/completions",
                    "{\"model\":\"gpt-4o\",\"stream\":true,\"max_tokens\":9,\"messages\":[]}"),
            new Endpoint("POST /openai/v1/responses", "{\"model\":\"house-model\",\"input\":\"x\"}"),
            new Endpoint("POST /openai/v1/images/generations", "any"), new Endpoint("GET /openai/v1/models", null),
            new Endpoint("POST /anthropic/v1/messages", "{\"model\":\"claude-opus-5\",\"max_tokens\":9,\"messages\":[]}"),
            new Endpoint("POST /gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse&key=key-of-wealthy",
                    "{\"contents\":[]}"),
            new Endpoint("GET /api/v1/campaigns/42?x=1", null), new Endpoint("POST /auth/login", "any"),
            new Endpoint("OPTIONS /users", null), new Endpoint("GET http://other/users", null), new Endpoint("HEAD /", null));

    @ConfigProperty(name = "quarkus.http.test-port")
    int port;

    @Inject
    MeterRegistry meters;

    @Inject
    Vertx vertx;

    @Test
    void malformedInputCausesNoErrorHangOrGrowth() {
        long tries = Math.max(1, (long) Fuzzer.TRIES * SHARE / 100);
        run(-Math.min(500, tries), 0);
        long heap = heap();
        int connections = channels();
        run(0, tries);
        assertThat(meters.getMeters()).hasSizeLessThan(MAX_METERS)
                .noneMatch(meter -> meter.getId().toString().contains(Fuzzer.MARKER));
        await()
                .untilAsserted(() -> assertThat(channels()).isLessThanOrEqualTo(connections + 16));
        assertThat(heap() - heap).isLessThan(MAX_HEAP_GROWTH_BYTES);
    }

    private void run(long from, long to) {
        var pool = Executors.newFixedThreadPool(THREADS);
        try {
            var all = new ArrayList<CompletableFuture<Void>>();
            for (int i = 0; i < THREADS; i++) {
                long first = from + i;
                all.add(CompletableFuture.runAsync(() -> {
                    for (long one = first; one < to; one += THREADS) {
                        attempt(one);
                    }
                }, pool));
            }
            all.forEach(CompletableFuture::join);
        } finally {
            pool.shutdownNow();
        }
    }

    private void attempt(long number) {
        long seed = Fuzzer.SEED * 1_000_003 + number;
        var random = new Random(seed);
        var request = request(random, seed);
        try {
            check(exchange(random, Fuzzer.bytes(request)), request);
        } catch (IOException | AssertionError e) {
            throw new AssertionError("try " + number + " of seed " + Fuzzer.SEED + ": " + request, e);
        }
    }

    private static String request(Random random, long seed) {
        var endpoint = Fuzzer.pick(random, ENDPOINTS);
        var head = new StringBuilder(endpoint.line()).append(" HTTP/1.1\r\nHost: sluice\r\nX-Fuzz: ").append(seed)
                .append("\r\n");
        for (int i = random.nextInt(3); i > 0; i--) {
            head.append(Fuzzer.pick(random, CREDENTIALS)).append("\r\n");
        }
        var body = endpoint.body() == null ? "" : endpoint.body();
        if (random.nextBoolean()) {
            body = Fuzzer.mutate(random, body);
        }
        boolean chunked = !body.isEmpty() && random.nextInt(6) == 0;
        if (chunked) {
            head.append("Transfer-Encoding: chunked\r\n");
            body = Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n";
        } else if (!body.isEmpty()) {
            head.append("Content-Length: ").append(body.length()).append("\r\n");
        }
        head.append("\r\n");
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> Fuzzer.mutate(random, head.toString()) + body;
            case 3 -> Fuzzer.mutate(random, head + body);
            default -> head + body;
        };
    }

    /** Reads until the connection is quiet or closed. */
    private byte[] exchange(Random random, byte[] request) throws IOException {
        try (var socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            var received = new ByteArrayOutputStream();
            try {
                if (random.nextInt(4) == 0) {
                    for (var piece : Fuzzer.split(random, request.length > 4000 ? new byte[0] : request)) {
                        socket.getOutputStream().write(piece);
                        socket.getOutputStream().flush();
                    }
                } else {
                    socket.getOutputStream().write(request);
                }
                var in = socket.getInputStream();
                var buffer = new byte[1 << 16];
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    received.write(buffer, 0, read);
                    socket.setSoTimeout(20);
                }
            } catch (SocketTimeoutException e) {
                assertThat(received.size()).as("bytes received in time").isPositive();
            } catch (SocketException e) {
                // closed before the request was completely sent
            }
            return received.toByteArray();
        }
    }

    private static void check(byte[] response, String request) {
        var text = new String(response, StandardCharsets.ISO_8859_1);
        assertThat(text).doesNotContain("RATE_5000", "Internal error");
        boolean forwarded = !text.contains("RATE_") && !request.contains(" /v1/");
        if (!forwarded) {
            assertThat(text).doesNotStartWith("HTTP/1.1 500");
        }
        int status = text.length() < 12 || !text.startsWith("HTTP/") ? 0 : text.charAt(9);
        if (status == '4' || status == '5') {
            var body = text.substring(Math.max(0, text.indexOf("\r\n\r\n")));
            assertThat(FIELD.matcher(body).replaceAll("")).doesNotContain(Fuzzer.MARKER);
            assertThat(INTERNALS.matcher(body).find()).as(body).isFalse();
        }
    }

    private int channels() {
        return StreamSupport.stream(((VertxInternal) vertx).getEventLoopGroup().spliterator(), false)
                .mapToInt(loop -> ((SingleThreadEventLoop) loop).registeredChannels()).sum();
    }

    private static long heap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
