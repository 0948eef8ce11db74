package dev.sluice.store;

import java.util.function.Consumer;

import io.smallrye.mutiny.Uni;

/** Who waits for an answer: hears one of the two, once. On the path of a request each stage of a {@code Uni} costs. */
public interface ResultCallback<T> {

    void received(T answer);

    void failed(Throwable cause);

    /** The same as a {@code Uni}, which asks once per subscription. */
    static <T> Uni<T> uni(Consumer<ResultCallback<T>> asking) {
        return Uni.createFrom().emitter(emitter -> asking.accept(new ResultCallback<>() {
            @Override
            public void received(T answer) {
                emitter.complete(answer);
            }

            @Override
            public void failed(Throwable cause) {
                emitter.fail(cause);
            }
        }));
    }
}
