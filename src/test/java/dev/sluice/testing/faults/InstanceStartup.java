package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import dev.sluice.testing.Instance;

/** Start of an instance in the background. Closing it stops the instance, whether it has started or not. */
public final class InstanceStartup implements AutoCloseable {

    private final CompletableFuture<Instance> instance;

    public InstanceStartup(Map<String, String> environment) {
        instance = CompletableFuture.supplyAsync(() -> Instance.start(environment),
                task -> new Thread(task, "start of an instance").start()); // the common pool may have a single thread
    }

    /** Waits at most that long; returns whether the instance has started or failed to start. */
    boolean isDone(Duration atMost) {
        return instance.thenApply(started -> true).exceptionally(failed -> true)
                .completeOnTimeout(false, atMost.toMillis(), TimeUnit.MILLISECONDS).join();
    }

    /** Waits until the instance serves; throws if it fails to start. */
    Instance await() {
        return instance.join();
    }

    @Override
    public void close() {
        instance.thenAccept(Instance::close).exceptionally(failed -> null).join();
    }
}
