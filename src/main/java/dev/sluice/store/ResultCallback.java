package dev.sluice.store;

import java.util.function.Consumer;

import io.smallrye.mutiny.Uni;

/** Who waits for an answer: hears one of the two, once. On the path of a request each stage of a {@code Uni} costs. */
public interface ResultCallback<T> {

    void onResult(T result);

    void onFailure(Throwable cause);

    /** The same as a {@code Uni}, which asks once per subscription. */
    static <T> Uni<T> toUni(Consumer<ResultCallback<T>> call) {
        return Uni.createFrom().emitter(emitter -> call.accept(new ResultCallback<>() {
            @Override
            public void onResult(T answer) {
                emitter.complete(answer);
            }

            @Override
            public void onFailure(Throwable cause) {
                emitter.fail(cause);
            }
        }));
    }
}
