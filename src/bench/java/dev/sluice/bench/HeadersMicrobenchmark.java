package dev.sluice.bench;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.http.RateLimitHeaders;
import io.vertx.core.http.HttpHeaders;

/** Writes a decision into the headers of a response. */
@State(Scope.Thread)
public class HeadersMicrobenchmark {

    private final Instant now = Instant.now();
    private final Decision decision = new Decision(true, false, DecisionMode.REDIS, now,
            List.of(new QuotaStatus("user:a", "api:/campaigns",
                    QuotaUnit.REQUESTS, 100, Duration.ofMinutes(1), 95, Optional.of(now.plusMillis(12_345)), false,
                    Optional.empty())));

    private final RateLimitHeaders writer = new RateLimitHeaders();

    @Benchmark
    public Object write() {
        var headers = HttpHeaders.headers();
        writer.write(headers, decision);
        return headers;
    }
}
