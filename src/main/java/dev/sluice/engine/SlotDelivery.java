package dev.sluice.engine;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

import dev.sluice.api.Decision;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.smallrye.mutiny.operators.AbstractUni;
import io.smallrye.mutiny.subscription.UniSubscriber;
import io.smallrye.mutiny.subscription.UniSubscription;

/**
 * Delivery of a decision to the subscriber of a {@code Uni}, or release of its slots if the subscriber has cancelled. An emitter does not
 * tell which of the two has happened. Thread-safe.
 */
final class SlotDelivery implements UniSubscription {

    /** A call that makes one decision. */
    interface Call {

        /** @return cancels the call; has no effect after its end */
        Runnable start(Consumer<Decision> onDecision, Consumer<Throwable> onFailure);
    }

    private final UniSubscriber<? super Decision> subscriber;
    private final Executor context;
    private final AtomicBoolean ended = new AtomicBoolean();
    private volatile Runnable canceller;

    private SlotDelivery(UniSubscriber<? super Decision> subscriber, Executor context) {
        this.subscriber = subscriber;
        this.context = context;
    }

    /** Returns a {@code Uni} that makes the call once per subscription, and completes on the context of the subscriber. */
    static Uni<Decision> toUni(Call call) {
        return Infrastructure.onUniCreation(new AbstractUni<Decision>() {
            @Override
            public void subscribe(UniSubscriber<? super Decision> subscriber) {
                new SlotDelivery(subscriber, SubscriberContext.executor()).start(call);
            }
        });
    }

    private void start(Call call) {
        subscriber.onSubscribe(this);
        if (ended.get()) {
            return;
        }
        try {
            canceller = call.start(decision -> context.execute(() -> deliver(decision)),
                    failure -> context.execute(() -> fail(failure)));
        } catch (RuntimeException e) {
            fail(e);
            return;
        }
        if (ended.get()) {
            canceller.run();
        }
    }

    private void deliver(Decision decision) {
        if (ended.compareAndSet(false, true)) {
            subscriber.onItem(decision);
        } else {
            decision.slot().release();
        }
    }

    private void fail(Throwable failure) {
        if (ended.compareAndSet(false, true)) {
            subscriber.onFailure(failure);
        }
    }

    @Override
    public void cancel() {
        var cancelled = canceller;
        if (ended.compareAndSet(false, true) && cancelled != null) {
            cancelled.run();
        }
    }
}
