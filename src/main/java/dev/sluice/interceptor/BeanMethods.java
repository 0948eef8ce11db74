package dev.sluice.interceptor;

import java.lang.reflect.Method;
import java.util.function.BiConsumer;

import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.spi.BeanManager;

/** The methods of all beans: whoever reads annotations of them does so at start, so that none fails a call later. */
public final class BeanMethods {

    private BeanMethods() {
    }

    /** @param reader takes a bean's class, and a method that it or something above it declares */
    public static void forEach(BeanManager beans, BiConsumer<Class<?>, Method> reader) {
        for (var bean : beans.getBeans(Object.class, Any.Literal.INSTANCE)) {
            for (Class<?> type = bean.getBeanClass(); type != null && type != Object.class; type = type.getSuperclass()) {
                for (var method : type.getDeclaredMethods()) {
                    if (!method.isBridge() && !method.isSynthetic()) {
                        reader.accept(bean.getBeanClass(), method);
                    }
                }
            }
        }
    }
}
