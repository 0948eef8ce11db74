package dev.sluice.window;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.limit.Usage;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Windows in Redis: one call of a script per decision, on Redis's own clock. */
final class RedisStore implements WindowStore {

    private static final int SCAN_COUNT = 1000;
    private final Vertx vertx;
    private final RedisLink link;
    private final RedisKeys keys;
    private final String exactUpTo;
    private final long timeoutMillis;
    private final RedisScript decide;
    private final RedisScript usage;
    private final RedisScript reset;

    RedisStore(Vertx vertx, RedisLink link, String keyPrefix, long exactUpTo, Duration timeout, String time) {
        this.vertx = vertx;
        this.link = link;
        this.keys = new RedisKeys(keyPrefix);
        this.exactUpTo = Long.toString(exactUpTo);
        this.timeoutMillis = Math.max(1, timeout.toMillis());
        this.decide = RedisScript.load("decide.lua", time);
        this.usage = RedisScript.load("usage.lua", time);
        this.reset = RedisScript.load("reset.lua", time);
        // A Redis that answers but cannot decide is as good as gone.
        var probe = RedisScript.load("probe.lua", time);
        link.probeWith(connection -> connection.send(request(Command.EVAL, probe.source(), List.of(keys.probe()), List.of())));
    }

    boolean available() {
        return link.up();
    }

    @Override
    public Uni<Outcome> take(String identifier, List<Claim> claims, boolean consume) {
        var names = claims.stream().map(claim -> RedisKeys.name(claim.resource(), claim.span() / 1_000_000)).toList();
        var windows = keysOf(identifier, names);
        var arguments = arguments(claims, names, consume);
        return Uni.createFrom().emitter(emitter -> bounded(() -> eval(decide, windows, arguments), RedisStore::outcome, emitter,
                failure -> {
                    if (failure == null) {
                        link.succeeded();
                    } else {
                        link.failed(failure);
                    }
                }));
    }

    /** The index first, then the windows. */
    private List<String> keysOf(String identifier, List<String> names) {
        var windows = new ArrayList<String>(names.size() + 1);
        windows.add(keys.index(identifier));
        names.forEach(name -> windows.add(keys.window(identifier, name)));
        return windows;
    }

    private List<String> arguments(List<Claim> claims, List<String> names, boolean consume) {
        var arguments = new ArrayList<String>(2 + 4 * claims.size());
        arguments.add(consume ? "1" : "0");
        arguments.add(exactUpTo);
        for (int i = 0; i < names.size(); i++) {
            var claim = claims.get(i);
            arguments.add(Long.toString(claim.limit()));
            arguments.add(Long.toString(claim.span()));
            arguments.add(Long.toString(claim.cost()));
            arguments.add(names.get(i));
        }
        return arguments;
    }

    private static Outcome outcome(Response answer) {
        var states = new Outcome.State[(answer.size() - 2) / 3];
        for (int i = 0; i < states.length; i++) {
            int at = 2 + 3 * i;
            states[i] = new Outcome.State(answer.get(at).toLong(), answer.get(at + 1).toLong(), answer.get(at + 2).toLong());
        }
        return new Outcome(answer.get(0).toLong() == 1, answer.get(1).toLong(), states);
    }

    @Override
    public Uni<Usage> usage(String identifier, String resource, Duration window) {
        var name = RedisKeys.name(resource, window.toSeconds());
        return bounded(() -> count(identifier, List.of(name)), answer -> new Usage(identifier, resource,
                answer.get(1).toLong(), window, Clock.instant(answer.get(0).toLong())));
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
        return bounded(() -> names(identifier).compose(names -> names.isEmpty()
                ? Future.succeededFuture(Map.<String, Long>of())
                : count(identifier, names).map(counts -> longest(names, counts))), Function.identity());
    }

    private Future<List<String>> names(String identifier) {
        return link.send(Request.cmd(Command.ZRANGE).arg(keys.index(identifier)).arg(0).arg(-1))
                .map(names -> names.stream().map(Response::toString).toList());
    }

    private Future<Response> count(String identifier, List<String> names) {
        return eval(usage, names.stream().map(name -> keys.window(identifier, name)).toList(),
                names.stream().map(name -> Long.toString(RedisKeys.seconds(name) * 1_000_000)).toList());
    }

    private static Map<String, Long> longest(List<String> names, Response counts) {
        var seconds = new HashMap<String, Long>();
        var longest = new HashMap<String, Long>();
        for (int i = 0; i < names.size(); i++) {
            var resource = RedisKeys.resource(names.get(i));
            long length = RedisKeys.seconds(names.get(i));
            long used = counts.get(i + 1).toLong();
            if (used > 0 && length > seconds.getOrDefault(resource, 0L)) {
                seconds.put(resource, length);
                longest.put(resource, used);
            }
        }
        return longest;
    }

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        return bounded(() -> names(identifier).compose(names -> {
            var gone = names.stream().filter(name -> resource == null || RedisKeys.resource(name).equals(resource)).toList();
            if (gone.isEmpty()) {
                return Future.<Void>succeededFuture();
            }
            return eval(reset, keysOf(identifier, gone), gone).<Void>mapEmpty();
        }), Function.identity());
    }

    @Override
    public Uni<Void> resetAll() {
        return resetFrom("0");
    }

    /** Page by page, each of which is bounded in time. */
    private Uni<Void> resetFrom(String cursor) {
        var scan = Request.cmd(Command.SCAN).arg(cursor).arg("MATCH").arg(keys.pattern()).arg("COUNT").arg(SCAN_COUNT);
        return bounded(() -> link.send(scan).compose(page -> {
            var found = page.get(1).stream().map(key -> link.send(Request.cmd(Command.UNLINK).arg(key.toString()))).toList();
            return Future.all(found).map(removed -> page.get(0).toString());
        }), Function.<String>identity())
                .chain(next -> "0".equals(next) ? Uni.createFrom().voidItem() : resetFrom(next));
    }

    private Future<Response> eval(RedisScript script, List<String> names, List<String> arguments) {
        return link.send(request(Command.EVALSHA, script.sha1(), names, arguments)).recover(failure -> {
            var message = failure.getMessage();
            return message != null && message.startsWith("NOSCRIPT")
                    ? link.send(request(Command.EVAL, script.source(), names, arguments))
                    : Future.failedFuture(failure);
        });
    }

    private static Request request(Command command, String script, List<String> names, List<String> arguments) {
        var request = Request.cmd(command).arg(script).arg(names.size());
        names.forEach(request::arg);
        arguments.forEach(request::arg);
        return request;
    }

    /** Asks once per subscription, waits no longer than the timeout, and answers on the caller's event loop. */
    private <A, T> Uni<T> bounded(Supplier<Future<A>> call, Function<A, T> reading) {
        return Uni.createFrom().emitter(emitter -> bounded(call, reading, emitter, outcome -> {
        }));
    }

    /** @param judge hears the failure, or null */
    private <A, T> void bounded(Supplier<Future<A>> call, Function<A, T> reading, UniEmitter<? super T> emitter,
            Consumer<Throwable> judge) {
        var context = Context.isOnEventLoopThread() ? Vertx.currentContext() : null;
        Promise<T> answer = Promise.promise();
        long timer = vertx.setTimer(timeoutMillis, id -> answer
                .tryFail(new StoreUnavailableException("Redis did not answer in " + timeoutMillis + " ms", null)));
        call.get().map(reading).onComplete(done -> {
            vertx.cancelTimer(timer);
            if (done.succeeded()) {
                answer.tryComplete(done.result());
            } else {
                answer.tryFail(done.cause());
            }
        });
        answer.future().onComplete(done -> {
            judge.accept(done.cause());
            if (context == null) {
                finish(done, emitter);
            } else {
                context.runOnContext(now -> finish(done, emitter));
            }
        });
    }

    private static <T> void finish(AsyncResult<T> done, UniEmitter<? super T> emitter) {
        if (done.succeeded()) {
            emitter.complete(done.result());
        } else {
            emitter.fail(done.cause() instanceof StoreUnavailableException
                    ? done.cause()
                    : new StoreUnavailableException("Redis answered with an error", done.cause()));
        }
    }
}
