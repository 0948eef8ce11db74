package dev.sluice.testing.app;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.ConcurrencyLimited;
import dev.sluice.api.RateLimited;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/** Bean with limited methods of all supported forms. */
@ApplicationScoped
public class LimitedBean {

    private final AtomicInteger calls = new AtomicInteger();

    public AtomicInteger calls() {
        return calls;
    }

    @RateLimited("2/minute")
    public String plain() {
        return "plain " + calls.incrementAndGet();
    }

    @RateLimited(limit = 2, window = 60)
    public Uni<String> uni() {
        return Uni.createFrom().item(() -> "uni " + calls.incrementAndGet());
    }

    @RateLimited("2/minute")
    public Multi<String> multi() {
        return Multi.createFrom().items("a", "b", "c").invoke(calls::incrementAndGet);
    }

    @RateLimited("2/minute")
    public CompletionStage<String> stage() {
        return CompletableFuture.completedFuture("stage " + calls.incrementAndGet());
    }

    @RateLimited("2/minute")
    public CompletableFuture<String> future() {
        return CompletableFuture.completedFuture("future " + calls.incrementAndGet());
    }

    @RateLimited("2/minute")
    public Uni<String> failing() throws IOException {
        throw new IOException("on purpose");
    }

    @RateLimited("5/minute")
    @RateLimited(value = "2/hour", resource = "repeated-hourly")
    public String repeated() {
        return "repeated";
    }

    @RateLimited("${test.reports.limit:3/minute}")
    public String configured() {
        return "configured";
    }

    @RateLimited(value = "10/minute", cost = 4)
    public String expensive() {
        return "expensive";
    }

    @RateLimited(value = "1/minute", key = "tenant-{tenant}", resource = "per-tenant")
    public String keyed(String tenant) {
        return tenant;
    }

    @RateLimited(value = "1/minute", key = "{1}", resource = "by-position")
    public String positioned(String first, int second) {
        return first + second;
    }

    @RateLimited("blocked")
    public String blocked() {
        return "never";
    }

    @RateLimited("unlimited")
    public String unlimited() {
        return "always";
    }

    private volatile CompletableFuture<String> work = new CompletableFuture<>();

    /** Sets the work of the next invocations. */
    public void setWork(CompletableFuture<String> next) {
        work = next;
    }

    @ConcurrencyLimited(1)
    public String heldPlain(Supplier<String> body) {
        return body.get();
    }

    @ConcurrencyLimited(1)
    public Uni<String> heldUni() {
        return Uni.createFrom().completionStage(() -> work);
    }

    @ConcurrencyLimited(1)
    public Multi<String> heldMulti() {
        return Multi.createBy().concatenating().streams(Multi.createFrom().item("first"),
                Multi.createFrom().completionStage(() -> work));
    }

    @ConcurrencyLimited(1)
    public CompletionStage<String> heldStage() {
        return work;
    }

    @ConcurrencyLimited(value = 1, key = "{tenant}", resource = "held-by-tenant")
    @RateLimited("5/minute")
    public Uni<String> heldByTenant(String tenant) {
        return Uni.createFrom().completionStage(() -> work);
    }
}
