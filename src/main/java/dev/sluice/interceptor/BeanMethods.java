package dev.sluice.interceptor;

import java.lang.reflect.Method;
import java.util.function.BiConsumer;

import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.spi.BeanManager;

/** Iterates over the methods of all CDI beans, so that their annotations are validated at startup and not at the first call. */
public final class BeanMethods {

    private BeanMethods() {
    }

    /**
     * Calls an action for each method of each bean, declared or inherited.
     *
     * @param beans the bean manager
     * @param action receives the class of the bean and the method
     */
    public static void forEach(BeanManager beans, BiConsumer<Class<?>, Method> action) {
        for (var bean : beans.getBeans(Object.class, Any.Literal.INSTANCE)) {
            for (Class<?> type = bean.getBeanClass(); type != null && type != Object.class; type = type.getSuperclass()) {
                for (var method : type.getDeclaredMethods()) {
                    if (!method.isBridge() && !method.isSynthetic()) {
                        action.accept(bean.getBeanClass(), method);
                    }
                }
            }
        }
    }
}
