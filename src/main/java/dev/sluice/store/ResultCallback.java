package dev.sluice.store;

import java.util.function.Consumer;

import io.smallrye.mutiny.Uni;

/**
 * Callback for one result. Exactly one method is called, once. Used instead of {@code Uni} on the request path, where each
 * stage of a {@code Uni} has a cost.
 */
public interface ResultCallback<T> {

    void onResult(T result);

    void onFailure(Throwable cause);

    /** Adapts a call with a callback to a {@code Uni} that makes the call once per subscription. */
    static <T> Uni<T> toUni(Consumer<ResultCallback<T>> call) {
        return Uni.createFrom().emitter(emitter -> call.accept(new ResultCallback<>() {
            @Override
            public void onResult(T result) {
                emitter.complete(result);
            }

            @Override
            public void onFailure(Throwable cause) {
                emitter.fail(cause);
            }
        }));
    }
}
