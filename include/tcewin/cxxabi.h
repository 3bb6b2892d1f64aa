/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What compiled C++ may call of the language's own library, beside host.h: the part of <cxxabi.h> that needs neither exceptions nor the
 * heap, and libc++'s last word. glue/cxxabi.c has them; the object check reads the list from here, and so refuses __cxa_atexit, which is
 * what an object with a destructor would need that outlives all functions.
 */
#ifndef TCEWIN_CXXABI_H
#define TCEWIN_CXXABI_H

#ifdef __cplusplus
extern "C" {
#endif

/* A virtual function that nobody has written, or that was deleted, is called: BUG(). */
void __cxa_pure_virtual(void);
void __cxa_deleted_virtual(void);

/*
 * Around the making of a function's static object. Acquire: nonzero if the caller is to make it, then one of the others follows; who
 * comes meanwhile waits. A task that may sleep; the core is compiled without (-fno-threadsafe-statics) and makes no such object.
 */
int __cxa_guard_acquire(unsigned long long *guard);
void __cxa_guard_release(unsigned long long *guard);
void __cxa_guard_abort(unsigned long long *guard);

/* std::__libcpp_verbose_abort(): something is used as it never may be. One line of the log, which names file and line, and BUG(). */
void _ZNSt3__122__libcpp_verbose_abortEPKcz(const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
