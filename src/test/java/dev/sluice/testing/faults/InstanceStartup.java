package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import dev.sluice.testing.Instance;

/** An instance that starts in the background. Closing it closes the instance, started or not. */
public final class InstanceStartup implements AutoCloseable {

    private final CompletableFuture<Instance> instance;

    public InstanceStartup(Map<String, String> environment) {
        instance = CompletableFuture.supplyAsync(() -> Instance.start(environment),
                task -> new Thread(task, "start of an instance").start()); // the common pool may have one thread only
    }

    /** Waits until it serves, for that time at most; returns whether it does, or has failed to. */
    boolean isDone(Duration atMost) {
        return instance.thenApply(started -> true).exceptionally(failed -> true)
                .completeOnTimeout(false, atMost.toMillis(), TimeUnit.MILLISECONDS).join();
    }

    /** Waits until it serves; fails if it does not start. */
    Instance await() {
        return instance.join();
    }

    @Override
    public void close() {
        instance.thenAccept(Instance::close).exceptionally(failed -> null).join();
    }
}
