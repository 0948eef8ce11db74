package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Function;

import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse;

/**
 * Base class of tests against {@link RawUpstream}: after each test, all upstream connections can be used, and no error has been
 * logged.
 */
public abstract class HopTestBase extends HttpTestBase {

    static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(10);
    /** HTTP/2 error code for a response that broke off. */
    static final long INTERNAL_ERROR = 2;
    private static final String TOGETHER = "/together";

    RawUpstream upstream;
    private LogRecorder log;

    @BeforeEach
    void startUpstream() {
        log = LogRecorder.start(LogRecorder.ERROR, false);
        upstream = RawUpstreamResource.upstream;
        upstream.clear();
    }

    @AfterEach
    void noConnectionIsLost() {
        upstream.clear();
        awaiting("requests at the upstream to end").until(() -> upstream.inProgress() == 0);
        awaiting("all connections to be usable").untilAsserted(this::assertAllConnectionsUsable);
        awaiting("no more connections than allowed").until(() -> upstream.openConnections() <= HopProfile.CONNECTIONS);
        log.close();
        assertThat(log.records()).isEmpty();
    }

    public static ConditionFactory awaiting(String condition) {
        return await(condition).atMost(LIMIT).pollDelay(Duration.ZERO).pollInterval(POLL);
    }

    /** Asserts that as many requests as there may be connections reach the upstream at the same time. */
    void assertAllConnectionsUsable() {
        var all = new CyclicBarrier(HopProfile.CONNECTIONS);
        upstream.on(TOGETHER, exchange -> {
            all.await(10, TimeUnit.SECONDS);
            RawUpstream.echo(exchange);
        });
        var responses = concurrently(HopProfile.CONNECTIONS, () -> Wire.HTTP_1_1.exchange(port, WireRequest.get(TOGETHER)));
        assertThat(responses).allSatisfy(response -> {
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.text()).startsWith("GET " + TOGETHER + " HTTP/1.1");
        });
    }

    /** Sends the head of a response, and its end after the release: longer than the time for the head or between two bytes. */
    void holdBody(String path, CountDownLatch release) {
        upstream.on(path, exchange -> {
            exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while (!release.await(1, TimeUnit.SECONDS)) {
                exchange.sendChunk("x");
            }
            exchange.send("0\r\n\r\n");
        });
    }

    /** Runs a call several times at once, and returns the results. */
    static <T> List<T> concurrently(int count, Callable<T> call) {
        var results = new ArrayList<CompletableFuture<T>>();
        for (int i = 0; i < count; i++) {
            results.add(inBackground(call));
        }
        return results.stream().map(CompletableFuture::join).toList();
    }

    static <T> CompletableFuture<T> inBackground(Callable<T> call) {
        var result = new CompletableFuture<T>();
        var thread = new Thread(() -> {
            try {
                result.complete(call.call());
            } catch (Throwable e) {
                result.completeExceptionally(new CompletionException(e));
            }
        }, "client");
        thread.setDaemon(true);
        thread.start();
        return result;
    }

    /** Runs a call for each version of HTTP at once, and returns the results. */
    static <T> Map<Wire, T> onEveryWire(Function<Wire, T> call) {
        var results = new EnumMap<Wire, CompletableFuture<T>>(Wire.class);
        for (var wire : Wire.values()) {
            results.put(wire, inBackground(() -> call.apply(wire)));
        }
        var joined = new EnumMap<Wire, T>(Wire.class);
        results.forEach((wire, result) -> joined.put(wire, result.join()));
        return joined;
    }

    /** Runs a call for each path and each version of HTTP at once, and returns the results by path. */
    static <T> Map<String, Map<Wire, T>> onEveryWire(List<String> paths, BiFunction<Wire, String, T> call) {
        var results = new LinkedHashMap<String, CompletableFuture<Map<Wire, T>>>();
        for (var path : paths) {
            results.put(path, inBackground(() -> onEveryWire(wire -> call.apply(wire, path))));
        }
        var joined = new LinkedHashMap<String, Map<Wire, T>>();
        results.forEach((path, result) -> joined.put(path, result.join()));
        return joined;
    }

    /** Asserts that a response is an error of Sluice, in its format. */
    static void assertError(WireResponse response, int status, String code) {
        assertThat(response.status()).as("%s", response).isEqualTo(status);
        assertThat(response.isComplete()).as("%s", response).isTrue();
        assertThat(response.field("content-type")).isEqualTo("application/json");
        var error = response.json().getJsonObject("error");
        assertThat(error.getString("code")).isEqualTo(code);
        assertThat(error.getString("message")).isNotBlank();
    }

    /** Asserts that a body that broke off looks broken to the client. */
    static void assertBroken(Wire wire, WireResponse response) {
        assertThat(response.isComplete()).as("%s", response).isFalse();
        if (wire == Wire.HTTP_2) {
            assertThat(response.resetCode()).as("%s", response).isEqualTo(INTERNAL_ERROR);
        } else if (wire == Wire.HTTP_1_0 && response.status() > 0 && response.field("content-length") == null) {
            assertThat(response.ending()).as("%s", response).isEqualTo(WireResponse.Ending.RESET);
        }
    }

    /** Asserts that a request is served as if nothing had happened. */
    void assertServed(Wire wire) {
        var response = wire.exchange(port, WireRequest.get("/ordinary?" + wire));
        assertThat(response.status()).as("%s", response).isEqualTo(200);
        assertThat(response.isComplete()).as("%s", response).isTrue();
        assertThat(response.text()).startsWith("GET /ordinary?" + wire + " HTTP/1.1");
    }
}
