package dev.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import org.junit.jupiter.api.Test;

import dev.sluice.api.Decision;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.cluster.InstanceRegistry;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.store.PeriodCalendar;
import dev.sluice.store.memory.InMemoryWindowStore;

/** Waiting for room, with windows in memory and time that the test sets. */
class AcquireQueuesTest {

    private static final Rate RATE = Rate.parse("1/minute");
    private static final Duration HOUR = Duration.ofHours(1);
    private static final long SECOND = 1_000_000_000L;

    /** Decides in memory, counts the decisions, and holds them back if told so. */
    private final class Limiter implements CallbackRateLimiter {

        final DefaultRateLimiter limiter = new DefaultRateLimiter(
                new FailoverWindowStore(null, new InMemoryWindowStore(() -> nanos / 1000, 10_000, 64 << 20, 1000),
                        new InstanceRegistry(new HashTags("sluice"), 1, LuaScript.SERVER_TIME), FallbackPolicy.LOCAL),
                null, () -> nanos / 1000, PeriodCalendar.UTC, FallbackPolicy.LOCAL, true, false, List.of(),
                new InFlightRequests(), AcquireQueuesTest.this::startTimer, 10);
        final Queue<Runnable> held = new ArrayDeque<>();
        boolean holds;
        RuntimeException failure;
        int decisions;

        @Override
        public void check(RateLimitRequest request, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
            decisions++;
            if (failure != null) {
                onFailure.accept(failure);
                return;
            }
            limiter.check(request, decision -> {
                if (holds) {
                    held.add(() -> onDecision.accept(decision));
                } else {
                    onDecision.accept(decision);
                }
            }, onFailure);
        }

        @Override
        public void decideAll(List<RateLimitRequest> requests, IdentityChain chain, Mode mode, Consumer<Decision> onDecision,
                Consumer<Throwable> onFailure) {
            throw new UnsupportedOperationException();
        }
    }

    /** A call of {@link AcquireQueues#acquire}. */
    private final class Call {

        final CompletableFuture<Decision> result = new CompletableFuture<>();
        final Runnable cancel;

        Call(RateLimitRequest request, Duration maxWait) {
            cancel = queues.acquire(request, maxWait, result::complete, result::completeExceptionally);
        }

        boolean isWaiting() {
            return !result.isDone();
        }

        Decision decision() {
            assertThat(result).isDone();
            return result.join();
        }
    }

    private long nanos = 1_800_000_000L * SECOND;
    private final TreeMap<Long, List<Runnable>> timers = new TreeMap<>();
    private double random;
    private final Limiter limiter = new Limiter();
    private AcquireQueues queues = queues(100);

    private AcquireQueues queues(int maxWaiters) {
        return new AcquireQueues(limiter, this::startTimer, () -> nanos, () -> random, maxWaiters);
    }

    private Runnable startTimer(long wait, Runnable task) {
        var due = timers.computeIfAbsent(nanos + wait, time -> new ArrayList<>());
        due.add(task);
        return () -> due.remove(task);
    }

    private void advance(Duration time) {
        long end = nanos + time.toNanos();
        while (!timers.isEmpty() && timers.firstKey() <= end) {
            var due = timers.pollFirstEntry();
            nanos = due.getKey();
            List.copyOf(due.getValue()).forEach(Runnable::run);
        }
        nanos = end;
    }

    private static RateLimitRequest request(long cost) {
        return RateLimitRequest.of("a", "r", RATE, cost);
    }

    private Call acquire(Duration maxWait) {
        return new Call(request(1), maxWait);
    }

    private Decision check(RateLimitRequest request) {
        var result = new CompletableFuture<Decision>();
        limiter.limiter.check(request, result::complete, result::completeExceptionally);
        return result.join();
    }

    private boolean hasTimers() {
        return timers.values().stream().anyMatch(tasks -> !tasks.isEmpty());
    }

    @Test
    void roomIsTakenAtOnce() {
        assertThat(acquire(HOUR).decision().allowed()).isTrue();
        assertThat(limiter.decisions).isEqualTo(1);
        assertThat(hasTimers()).isFalse();
    }

    @Test
    void waitsUntilTheTimeThatTheDenialTells() {
        acquire(HOUR);
        advance(Duration.ofSeconds(20));
        var waiting = acquire(HOUR);

        advance(Duration.ofSeconds(40).minusNanos(1));
        assertThat(waiting.isWaiting()).isTrue();
        advance(Duration.ofNanos(1));
        assertThat(waiting.decision().allowed()).isTrue();
        assertThat(limiter.decisions).as("does not poll").isEqualTo(3);
        assertThat(queues.waiting()).isZero();
        assertThat(hasTimers()).isFalse();
    }

    @Test
    void isDeniedAtOnceIfTheTimeIsTooLate() {
        acquire(HOUR);
        assertThat(acquire(Duration.ofSeconds(60)).isWaiting()).isTrue();
        for (var time : List.of(Duration.ofSeconds(60).minusNanos(1), Duration.ZERO)) {
            var denied = acquire(time).decision();
            assertThat(denied.allowed()).isFalse();
            assertThat(denied.retryAfter()).contains(Duration.ofMinutes(1));
        }
    }

    @Test
    void costThatNeverFitsHasTheDecisionOfCheck() {
        assertThat(new Call(request(2), HOUR).decision()).isEqualTo(check(request(2)));
        var blocked = RateLimitRequest.of("a", "r", Rate.BLOCKED, 1);
        assertThat(new Call(blocked, HOUR).decision()).isEqualTo(check(blocked));
        assertThat(hasTimers()).isFalse();
    }

    @Test
    void isAdmittedInTheOrderOfArrival() {
        acquire(HOUR);
        var calls = new ArrayList<Call>();
        for (int i = 0; i < 10; i++) {
            calls.add(acquire(HOUR));
        }
        for (int minute = 1; minute <= 10; minute++) {
            advance(Duration.ofMinutes(1));
            assertThat(calls.stream().filter(call -> !call.isWaiting())).isEqualTo(calls.subList(0, minute));
        }
        assertThat(calls).allMatch(call -> call.decision().allowed());
        assertThat(limiter.decisions).as("one that is admitted and one that waits, per minute").isLessThanOrEqualTo(2 + 2 * 10);
    }

    @Test
    void requestBehindOthersIsDeniedAsSoonAsItsTurnIsTooLate() {
        acquire(HOUR);
        var first = acquire(HOUR);
        var second = acquire(Duration.ofSeconds(90));
        assertThat(second.isWaiting()).isTrue();

        advance(Duration.ofMinutes(1));
        assertThat(first.decision().allowed()).isTrue();
        assertThat(second.decision().allowed()).isFalse();
        assertThat(second.decision().retryAfter()).contains(Duration.ofMinutes(1));

        var third = acquire(HOUR);
        var fourth = acquire(Duration.ofSeconds(90));
        var fifth = acquire(Duration.ofMinutes(2));
        advance(Duration.ofMinutes(1));
        assertThat(third.decision().allowed()).isTrue();
        assertThat(fourth.decision().allowed()).isFalse();
        assertThat(fifth.isWaiting()).isTrue();
        assertThat(acquire(Duration.ofSeconds(59)).decision().allowed()).as("behind the fifth").isFalse();
        advance(Duration.ofMinutes(1));
        assertThat(fifth.decision().allowed()).isTrue();
    }

    @Test
    void cancelledRequestConsumesNothing() {
        acquire(HOUR);
        var first = acquire(HOUR);
        var second = acquire(HOUR);
        var third = acquire(HOUR);
        first.cancel.run();
        third.cancel.run();
        third.cancel.run();
        assertThat(queues.waiting()).isEqualTo(1);

        advance(Duration.ofMinutes(1));
        assertThat(second.decision().allowed()).isTrue();
        second.cancel.run();
        advance(Duration.ofMinutes(1));
        assertThat(acquire(HOUR).decision().allowed()).isTrue();
        assertThat(List.of(first, third)).allMatch(Call::isWaiting);
        assertThat(queues.waiting()).isZero();
        assertThat(hasTimers()).isFalse();
    }

    @Test
    void requestThatIsCancelledWhileItIsDecidedLeavesTheQueue() {
        acquire(HOUR);
        var first = acquire(HOUR);
        var second = acquire(HOUR);
        limiter.holds = true;
        advance(Duration.ofMinutes(1));
        first.cancel.run();
        limiter.holds = false;
        limiter.held.remove().run();
        assertThat(second.isWaiting()).as("the first one's decision was in progress, and counts").isTrue();
        advance(Duration.ofMinutes(1));
        assertThat(second.decision().allowed()).isTrue();
        assertThat(queues.waiting()).isZero();
    }

    @Test
    void requestsThatArriveDuringADecisionWaitForIt() {
        acquire(HOUR);
        var first = acquire(HOUR);
        limiter.holds = true;
        advance(Duration.ofMinutes(1));
        var second = acquire(HOUR);
        var hasty = acquire(Duration.ofSeconds(59));
        limiter.holds = false;
        limiter.held.remove().run();
        assertThat(first.decision().allowed()).isTrue();
        assertThat(hasty.decision().allowed()).isFalse();
        advance(Duration.ofMinutes(1));
        assertThat(second.decision().allowed()).isTrue();
    }

    /** The first decisions of concurrent requests are made at once; what is denied then queues. */
    @Test
    void concurrentRequestsDoNotWaitForEachOtherWhereNothingWaits() {
        limiter.holds = true;
        var calls = List.of(acquire(HOUR), acquire(HOUR), acquire(HOUR));
        assertThat(limiter.held).hasSize(3);
        limiter.holds = false;
        limiter.held.forEach(Runnable::run);
        assertThat(queues.waiting()).isEqualTo(2);
        advance(Duration.ofMinutes(2));
        assertThat(calls).allMatch(call -> call.decision().allowed());
    }

    @Test
    void requestThatHasLostTheRoomWaitsOnWithJitter() {
        acquire(HOUR);
        random = 1;
        var waiting = acquire(Duration.ofMinutes(3));
        timers.computeIfAbsent(nanos + 60 * SECOND, time -> new ArrayList<>()).add(0, () -> check(request(1)));
        advance(Duration.ofMinutes(2));
        assertThat(waiting.isWaiting()).isTrue();
        advance(Duration.ofNanos(AcquireQueues.MAX_JITTER_NANOS));
        assertThat(waiting.decision().allowed()).isTrue();
    }

    @Test
    void jitterIsNotLaterThanTheDeadline() {
        acquire(HOUR);
        random = 1;
        var waiting = acquire(Duration.ofMinutes(2));
        timers.computeIfAbsent(nanos + 60 * SECOND, time -> new ArrayList<>()).add(0, () -> check(request(1)));
        advance(Duration.ofMinutes(2));
        assertThat(waiting.decision().allowed()).isTrue();
    }

    @Test
    void numberOfWaitingRequestsIsBounded() {
        queues = queues(2);
        acquire(HOUR);
        var waiting = List.of(acquire(HOUR), acquire(HOUR));
        assertThat(acquire(HOUR).decision().allowed()).isFalse();
        var other = RateLimitRequest.of("b", "r", RATE, 1);
        assertThat(new Call(other, HOUR).decision().allowed()).isTrue();
        assertThat(new Call(other, HOUR).decision().allowed()).as("of all queues together").isFalse();
        advance(Duration.ofMinutes(2));
        assertThat(waiting).allMatch(call -> call.decision().allowed());
        assertThat(acquire(HOUR).isWaiting()).isTrue();
    }

    @Test
    void failuresAreDelivered() {
        acquire(HOUR);
        var calls = List.of(acquire(HOUR), acquire(HOUR));
        limiter.failure = new StoreUnavailableException("on purpose", null);
        advance(Duration.ofMinutes(1));
        assertThat(calls).allSatisfy(call -> assertThatThrownBy(call.result::join).hasCause(limiter.failure));
        assertThat(acquire(HOUR).result).isCompletedExceptionally();
        assertThat(queues.waiting()).isZero();
        assertThat(hasTimers()).isFalse();
    }

    @Test
    void closingDecidesWhatWaits() {
        acquire(HOUR);
        var calls = new ArrayList<>(List.of(acquire(HOUR), acquire(HOUR)));
        queues.close();
        calls.add(acquire(HOUR));
        assertThat(calls).noneMatch(call -> call.decision().allowed());
        assertThat(queues.waiting()).isZero();
        assertThat(hasTimers()).isFalse();
    }

    @Test
    void closingDuringADecisionLosesNoRequest() {
        acquire(HOUR);
        var calls = List.of(acquire(HOUR), acquire(HOUR));
        limiter.holds = true;
        advance(Duration.ofMinutes(1));
        limiter.holds = false;
        queues.close();
        limiter.held.forEach(Runnable::run);
        assertThat(calls.get(0).decision().allowed()).isTrue();
        assertThat(calls.get(1).decision().allowed()).isFalse();
    }

    /** In memory a decision completes within its call: the turns must not nest. */
    @Test
    void manyTurnsAtOnceNeedNoStack() {
        queues = queues(20_000);
        var rate = Rate.parse("10000/minute");
        new Call(RateLimitRequest.of("a", "r", rate, 10_000), HOUR);
        var calls = new ArrayList<Call>();
        for (int i = 0; i < 10_000; i++) {
            calls.add(new Call(RateLimitRequest.of("a", "r", rate, 1), HOUR));
        }
        advance(Duration.ofMinutes(3));
        assertThat(calls).allMatch(call -> call.decision().allowed());
    }

    /** Threads acquire, cancel and complete at the same time: each request ends once, and none is forgotten. */
    @Test
    void concurrentRequestsAllEnd() throws Exception {
        var pool = Executors.newScheduledThreadPool(4);
        try {
            var rate = Rate.parse("200/second");
            var store = new DefaultRateLimiter(
                    new FailoverWindowStore(null,
                            new InMemoryWindowStore(() -> System.nanoTime() / 1000, 10_000, 64 << 20, 1000),
                            new InstanceRegistry(new HashTags("sluice"), 1, LuaScript.SERVER_TIME), FallbackPolicy.LOCAL),
                    null, () -> System.nanoTime() / 1000, FallbackPolicy.LOCAL, true, false, List.of());
            var asynchronous = new CallbackRateLimiter() {
                @Override
                public void check(RateLimitRequest request, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
                    pool.execute(() -> store.check(request, onDecision, onFailure));
                }

                @Override
                public void decideAll(List<RateLimitRequest> requests, IdentityChain chain, Mode mode,
                        Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
                    throw new UnsupportedOperationException();
                }
            };
            var concurrent = new AcquireQueues(asynchronous, (wait, task) -> {
                var timer = pool.schedule(task, wait, TimeUnit.NANOSECONDS);
                return () -> timer.cancel(false);
            }, System::nanoTime, () -> 0.5, 10_000);
            var results = new ArrayList<CompletableFuture<Decision>>();
            var threads = new ArrayList<Thread>();
            for (int t = 0; t < 4; t++) {
                var own = new ArrayList<CompletableFuture<Decision>>();
                for (int i = 0; i < 150; i++) {
                    own.add(new CompletableFuture<>());
                }
                results.addAll(own);
                threads.add(new Thread(() -> {
                    for (int i = 0; i < own.size(); i++) {
                        var result = own.get(i);
                        var cancel = concurrent.acquire(RateLimitRequest.of("a", "r", rate, 1), HOUR, result::complete,
                                result::completeExceptionally);
                        if (i % 3 == 0) {
                            cancel.run();
                            result.complete(null);
                        }
                    }
                }));
            }
            threads.forEach(Thread::start);
            CompletableFuture.allOf(results.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
            assertThat(results).allMatch(result -> result.join() == null || result.join().allowed());
            assertThat(concurrent.waiting()).isZero();
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void maxWaitIsValidated() {
        assertThatThrownBy(() -> limiter.limiter.acquire(request(1), Duration.ofSeconds(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxWait must be from 0 to 31 days (was: PT-1S)");
        assertThatThrownBy(() -> limiter.limiter.acquire(request(1), Duration.ofDays(32)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> limiter.limiter.acquire("a", "r", RATE, -1, HOUR))
                .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("cost");
    }

    @Test
    void cancelledSubscriptionLeavesTheQueue() {
        check(request(1));
        var result = new CompletableFuture<Decision>();
        var subscription = limiter.limiter.acquire(request(1), HOUR).subscribe().with(result::complete,
                result::completeExceptionally);
        assertThat(hasTimers()).isTrue();
        subscription.cancel();
        assertThat(hasTimers()).isFalse();

        limiter.limiter.acquire(request(1), HOUR).subscribe().with(result::complete, result::completeExceptionally);
        assertThat(result).isNotDone();
        advance(Duration.ofMinutes(1));
        assertThat(result).isCompletedWithValueMatching(Decision::allowed);
    }

    @Test
    void everySubscriptionIsARequestOfItsOwn() {
        var uni = limiter.limiter.acquire(request(1), Duration.ZERO);
        assertThat(uni.await().indefinitely().allowed()).isTrue();
        assertThat(uni.await().indefinitely().allowed()).isFalse();
    }
}
