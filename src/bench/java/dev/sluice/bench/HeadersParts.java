package dev.sluice.bench;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

import dev.sluice.http.RateLimitHeaders;
import dev.sluice.limit.Decision;
import dev.sluice.limit.Mode;
import dev.sluice.limit.QuotaStatus;
import dev.sluice.limit.Unit;
import io.vertx.core.http.HttpHeaders;

/** Writing a decision into a response's headers. */
@State(Scope.Thread)
public class HeadersParts {

    private final Instant now = Instant.now();
    private final Decision decision = new Decision(true, false, Mode.REDIS, now, List.of(new QuotaStatus("api:/campaigns",
            Unit.REQUESTS, 100, Duration.ofMinutes(1), 95, now.plusMillis(12_345), false, null)));

    private final RateLimitHeaders writer = new RateLimitHeaders();

    @Benchmark
    public Object write() {
        var headers = HttpHeaders.headers();
        writer.write(headers, decision);
        return headers;
    }
}
