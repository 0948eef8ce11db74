package dev.sluice.service.alerts;

import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleSupplier;

import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookSigningException;

import dev.sluice.fetch.DocumentFetcher;
import dev.sluice.service.alerts.AlertQueue.Leased;
import dev.sluice.service.alerts.AlertQueue.RetryResult;
import dev.sluice.service.alerts.WebhookTransport.WebhookResponse;
import dev.sluice.store.ThrottledLog;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;

/**
 * Sends the alerts of the queue that are due, in the form of Standard Webhooks. An alert is sent at least once, each time with the same
 * {@code webhook-id}. Used on one context; not thread-safe.
 *
 * @see <a href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">Standard Webhooks</a>
 */
final class AlertSender {

    /** Maximum number of alerts in a lease. */
    static final int LEASE_SIZE = 100;

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final int GONE = 410;
    private static final long REMOVE = -1;

    private final AlertQueue queue;
    private final WebhookTransport transport;
    private final @Nullable URI commonUrl;
    private final Webhook signer;
    private final Clock clock;
    private final DoubleSupplier random;
    private final AlertMetrics metrics;
    private final ThrottledLog failures = new ThrottledLog();
    /** Results that the queue does not know yet: the delay until the next attempt, or {@link #REMOVE}, by id. */
    private final Map<String, Result> results = new HashMap<>();
    /** Attempts under way. */
    private final Set<Future<Void>> attempts = new HashSet<>();
    private final WaitingDeliveries deliveries;
    private boolean stopped;

    /**
     * Result of an attempt.
     *
     * @param delay milliseconds until the next attempt, or {@link #REMOVE}
     * @param failure description of the failure; empty if the alert was sent
     */
    private record Result(long delay, String failure) {
    }

    /**
     * @param commonUrl URL of alerts without their own; null if there is none
     * @param clock time of the attempts, which receivers compare with theirs
     * @param random returns numbers from 0 to 1
     */
    AlertSender(AlertQueue queue, WebhookTransport transport, @Nullable URI commonUrl, Webhook signer, Clock clock,
            DoubleSupplier random, AlertMetrics metrics) {
        this.queue = queue;
        this.transport = transport;
        this.commonUrl = commonUrl;
        this.signer = signer;
        this.clock = clock;
        this.random = random;
        this.metrics = metrics;
        this.deliveries = new WaitingDeliveries(clock::millis);
    }

    /**
     * Sends what is due.
     *
     * @return completes when the attempts have ended, with the number of alerts that were in the queue; fails if the queue is
     *         unavailable
     */
    Future<Long> poll() {
        if (stopped) {
            return Future.succeededFuture(0L);
        }
        return reportAll().compose(reported -> queue.lease(LEASE_SIZE)).compose(lease -> {
            var leased = lease.alerts().stream().filter(alert -> !results.containsKey(alert.id())).map(this::deliver).toList();
            attempts.addAll(leased);
            leased.forEach(attempt -> attempt.onComplete(done -> attempts.remove(attempt)));
            var ended = Future.join(leased).map(lease.pending());
            // Later alerts that are due do not wait for these.
            return lease.alerts().size() < LEASE_SIZE ? ended : poll().compose(pending -> ended);
        });
    }

    /** Returns a future that completes when no attempt is under way. */
    Future<Void> idle() {
        return Future.join(List.copyOf(attempts)).mapEmpty();
    }

    /** Ends polling; attempts that have begun go on. */
    void stop() {
        stopped = true;
        deliveries.stop();
    }

    private Future<Void> deliver(Leased alert) {
        try {
            var message = new JsonObject(alert.message());
            var target = message.containsKey("url") ? URI.create(message.getString("url")) : commonUrl;
            var body = message.getString("body");
            var description = describe(new JsonObject(body).getJsonObject("data"), target);
            return target == null
                    ? end(alert, description, null,
                            new IllegalStateException(AlertSettings.URL + " is not set on this instance"))
                    : deliveries.submit(LimitAlert.owner(message), target,
                            () -> attempt(alert, target, !message.containsKey("url"), body, description));
        } catch (RuntimeException e) {
            return unreadable(alert);
        }
    }

    private Future<Void> attempt(Leased alert, URI target, boolean anywhere, String body, String description) {
        try {
            return transport.post(target, anywhere, headers(alert.id(), body), body)
                    .transform(done -> end(alert, description, done.result(), done.cause()));
        } catch (RuntimeException | WebhookSigningException e) {
            return unreadable(alert);
        }
    }

    private Future<Void> unreadable(Leased alert) {
        return end(alert, "message=unreadable", null, new IllegalStateException("the stored alert cannot be read"));
    }

    private Map<String, String> headers(String id, String body) throws WebhookSigningException {
        long seconds = clock.instant().getEpochSecond();
        return Map.of(Webhook.UNBRANDED_MSG_ID_KEY, id, Webhook.UNBRANDED_MSG_TIMESTAMP_KEY, Long.toString(seconds),
                Webhook.UNBRANDED_MSG_SIGNATURE_KEY, signer.sign(id, seconds, body));
    }

    /** Identifiers may be what callers send. */
    private static String describe(JsonObject data, @Nullable URI target) {
        var subject = "identifier=" + data.getString("identifier") + " resource=" + data.getString("resource");
        return subject.replaceAll("\\p{Cntrl}", "?") + " threshold=" + data.getInteger("threshold") + " url="
                + (target == null ? "none" : DocumentFetcher.describe(target));
    }

    /**
     * @param description of the alert, for the log
     * @param response null if there was none
     */
    private Future<Void> end(Leased alert, String description, @Nullable WebhookResponse response,
            @Nullable Throwable failure) {
        if (response != null && response.status() / 100 == 2) {
            metrics.sent();
            return report(alert.id(), new Result(REMOVE, ""));
        }
        var reason = description + " attempts=" + (alert.attempts() + 1) + " reason="
                + (response == null ? describe(failure) : "status " + response.status());
        if (response != null && response.status() == GONE) {
            return report(alert.id(), new Result(REMOVE, reason));
        }
        failures.log(times -> LOG.warnf("Alert was not sent and will be repeated: id=%s %s occurrences=%d", alert.id(), reason,
                times));
        return report(alert.id(), new Result(RetrySchedule.delayMillis(alert.attempts(),
                response == null ? null : response.retryAfter(), clock.instant(), random.getAsDouble()), reason));
    }

    private static String describe(@Nullable Throwable failure) {
        var message = failure == null ? null : failure.getMessage();
        return message == null
                ? failure == null ? "unknown" : failure.getClass().getSimpleName()
                : message.replaceAll("\\R\\s*", " ");
    }

    /** Reports results that the queue could not be told. */
    private Future<Void> reportAll() {
        List<Future<Void>> reports = new ArrayList<>();
        Map.copyOf(results).forEach((id, result) -> reports.add(report(id, result)));
        return Future.join(reports).mapEmpty();
    }

    /** Never fails: a result that cannot be reported is kept and reported before the next lease. */
    private Future<Void> report(String id, Result result) {
        results.put(id, result);
        var reported = result.delay() == REMOVE
                ? queue.remove(id).onSuccess(removed -> {
                    if (removed && !result.failure().isEmpty()) {
                        giveUp(id, result.failure());
                    }
                })
                : queue.retry(id, result.delay()).onSuccess(next -> {
                    if (next == RetryResult.GIVEN_UP) {
                        giveUp(id, result.failure());
                    }
                });
        return reported.onSuccess(done -> results.remove(id, result)).<Void>mapEmpty().otherwiseEmpty();
    }

    private void giveUp(String id, String failure) {
        metrics.failed();
        LOG.errorf("Alert was given up: id=%s %s", id, failure);
    }
}
