/* SPDX-License-Identifier: MIT */
/*
 * hostile_denied - a thread that nobody may open: a tracer that cannot wait
 * for its end must not take that for its end. It lives long after the tracer
 * has met it, and makes more calls than a ring holds.
 */
#include "target.h"

#define MARKS 20000
#define PATIENCE_MS 60000

static DWORD WINAPI run(void *unused)
{
    DWORD right = 0;

    (void)unused;
    Sleep(500);
    for (uint64_t i = 0; i < MARKS; i++) {
        right += mark(0x100000 + i);
    }
    return right;
}

int main(void)
{
    SECURITY_DESCRIPTOR nobody;
    SECURITY_ATTRIBUTES attributes = { sizeof attributes, &nobody, FALSE };
    ACL acl;
    DWORD tid, right = 0;
    HANDLE thread;

    target_begin();
    InitializeAcl(&acl, sizeof acl, ACL_REVISION);
    InitializeSecurityDescriptor(&nobody, SECURITY_DESCRIPTOR_REVISION);
    SetSecurityDescriptorDacl(&nobody, TRUE, &acl, FALSE);
    thread = CreateThread(&attributes, 0, run, NULL, 0, &tid);
    CHECK(OpenThread(THREAD_SUSPEND_RESUME, FALSE, tid) == NULL);
    if (WaitForSingleObject(thread, PATIENCE_MS) != WAIT_OBJECT_0) {
        printf("the thread hangs\n");
        tell_now();
        TerminateProcess(THIS_PROCESS, 2);
    }
    GetExitCodeThread(thread, &right);
    CHECK(right == MARKS);
    expect_counter(tid, 0x100000, MARKS);
    return target_end();
}
