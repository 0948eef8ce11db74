package dev.sluice.service.alerts;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import com.standardwebhooks.Webhook;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.service.alerts.WebhookTransport.WebhookResponse;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;

/** One instance with its detector and sender, whose requests are recorded and answered by the test. */
final class AlertInstance {

    static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    static final URI URL = URI.create("https://hooks.example/alerts?token=t0p");
    static final AlertSettings SETTINGS = new AlertSettings(new AlertTarget(URL, List.of(50, 80, 95, 100)), new Webhook(SECRET),
            false);

    /** Recorded request. */
    record Post(URI url, Map<String, String> headers, String body) {
    }

    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final List<Post> posts = new CopyOnWriteArrayList<>();
    final AlertClaims claims;
    final AlertSender sender;
    final AlertDetector detector;
    /** Number of the connection to Redis. */
    final AtomicInteger epoch = new AtomicInteger();
    volatile Supplier<Future<WebhookResponse>> receiver = () -> Future.succeededFuture(new WebhookResponse(204, null));
    private final Context context;

    AlertInstance(Context context, AlertQueue queue, AlertSettings settings,
            @Nullable BiFunction<IdentityKind, String, Uni<StoredIdentity>> identities) {
        this.context = context;
        var metrics = new AlertMetrics(meters);
        claims = new AlertClaims(new AlertTargets(settings, identities, System::nanoTime), queue, metrics::dropped, () -> {
        });
        sender = new AlertSender(queue, (url, headers, body) -> {
            posts.add(new Post(url, headers, body));
            return receiver.get();
        }, settings.target().url(), settings.signer(), Clock.systemUTC(), () -> 0, metrics);
        detector = new AlertDetector(true, observed -> context.runOnContext(now -> claims.submit(observed)), () -> 1,
                epoch::get);
    }

    /** Reports a decision, and waits until its alerts are claimed or wait for the queue. */
    void decide(QuotaStatus quota, Instant decidedAt) {
        detector.onDecision(request(quota), new Decision(true, false, DecisionMode.REDIS, decidedAt, List.of(quota)), 1);
        onContext(claims::idle);
    }

    static RateLimitRequest request(QuotaStatus quota) {
        return new RateLimitRequest(quota.identifier(), null, "test", List.of());
    }

    /** Sends what is due, and returns the number of alerts that were in the queue. */
    long poll() {
        return onContext(sender::poll);
    }

    <T> T onContext(Supplier<Future<T>> call) {
        Promise<T> result = Promise.promise();
        context.runOnContext(now -> call.get().onComplete(result));
        return result.future().toCompletionStage().toCompletableFuture().orTimeout(60, java.util.concurrent.TimeUnit.SECONDS)
                .join();
    }

    void respond(int status) {
        receiver = () -> Future.succeededFuture(new WebhookResponse(status, null));
    }

    double count(String outcome) {
        return meters.get(AlertMetrics.ALERTS).tag("outcome", outcome).counter().count();
    }

    /** Returns a limit of 1000 requests a day, of which some are used. */
    static QuotaStatus daily(String identifier, long used) {
        return new QuotaStatus(identifier, "api", QuotaUnit.REQUESTS, 1000, Duration.ofDays(1), 1000 - used, Optional.empty(),
                false,
                Optional.empty());
    }
}
