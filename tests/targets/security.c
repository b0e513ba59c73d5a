/* SPDX-License-Identifier: MIT */
/*
 * security - security descriptors and quality of service in
 * OBJECT_ATTRIBUTES, the security of an object, tokens (user, groups,
 * privileges), access checks, and messages to ports.
 *
 * Wine has no ports: those calls fail, and what goes in is told all the same.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtQuerySecurityObject(HANDLE, ULONG, void *, ULONG,
                                              ULONG *);
NTSYSAPI NTSTATUS NTAPI NtSetSecurityObject(HANDLE, ULONG, void *);
NTSYSAPI NTSTATUS NTAPI NtOpenProcessToken(HANDLE, ACCESS_MASK, HANDLE *);
NTSYSAPI NTSTATUS NTAPI NtQueryInformationToken(HANDLE, int, void *, ULONG,
                                                ULONG *);
NTSYSAPI NTSTATUS NTAPI NtAdjustPrivilegesToken(HANDLE, BOOLEAN, void *, ULONG,
                                                void *, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtPrivilegeCheck(HANDLE, void *, BOOLEAN *);
NTSYSAPI NTSTATUS NTAPI NtFilterToken(HANDLE, ULONG, void *, void *, void *,
                                      HANDLE *);
NTSYSAPI NTSTATUS NTAPI NtSetInformationToken(HANDLE, int, void *, ULONG);
NTSYSAPI NTSTATUS NTAPI NtDuplicateToken(HANDLE, ACCESS_MASK, const void *,
                                         BOOLEAN, int, HANDLE *);
NTSYSAPI NTSTATUS NTAPI NtAccessCheck(void *, HANDLE, ACCESS_MASK, void *,
                                      void *, ULONG *, ULONG *, NTSTATUS *);
NTSYSAPI NTSTATUS NTAPI NtConnectPort(HANDLE *, const void *, const void *,
                                      void *, void *, ULONG *, void *, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtRequestWaitReplyPort(HANDLE, void *, void *);
NTSYSAPI NTSTATUS NTAPI NtReplyWaitReceivePort(HANDLE, void **, void *, void *);

#define ADMINS "\"S-1-5-32-544\""
#define SYSTEM "\"S-1-5-18\""
#define DACL_OF(all_, some_)                                             \
    "Dacl=[{AceType=ACCESS_ALLOWED_ACE_TYPE, Mask=" all_ ", Sid=" ADMINS \
    "}, {AceType=ACCESS_DENIED_ACE_TYPE, Mask=" some_ ", Sid=" SYSTEM "}]"
#define DACL DACL_OF("EVENT_ALL_ACCESS", "EVENT_MODIFY_STATE")
/* Where nobody knows for which kind of object it is. */
#define DACL_OF_ANY DACL_OF("STANDARD_RIGHTS_ALL|0x3", "0x2")
#define QUALITY                                              \
    "{Length=12, ImpersonationLevel=SecurityImpersonation, " \
    "ContextTrackingMode=SECURITY_DYNAMIC_TRACKING, EffectiveOnly=TRUE}"
#define ALL_PARTS                                            \
    "OWNER_SECURITY_INFORMATION|GROUP_SECURITY_INFORMATION|" \
    "DACL_SECURITY_INFORMATION"

static char room[4096] __attribute__((aligned(16)));
static SECURITY_DESCRIPTOR descriptor;
static SECURITY_QUALITY_OF_SERVICE quality = {
    sizeof quality, SecurityImpersonation, SECURITY_DYNAMIC_TRACKING, TRUE
};
static PSID system_sid;
static ACL *acl;
static DWORD tid;
static ULONG got;

static void prepare(void)
{
    static char acl_room[200] __attribute__((aligned(8)));
    SID_IDENTIFIER_AUTHORITY nt = { { 0, 0, 0, 0, 0, 5 } };
    PSID admins;

    acl = (ACL *)(void *)acl_room;
    CHECK(
        AllocateAndInitializeSid(&nt, 1, 18, 0, 0, 0, 0, 0, 0, 0, &system_sid));
    CHECK(AllocateAndInitializeSid(&nt, 2, 32, 544, 0, 0, 0, 0, 0, 0, &admins));
    InitializeAcl(acl, sizeof acl_room, ACL_REVISION);
    AddAccessAllowedAce(acl, ACL_REVISION, EVENT_ALL_ACCESS, admins);
    AddAccessDeniedAce(acl, ACL_REVISION, EVENT_MODIFY_STATE, system_sid);
    InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION);
    SetSecurityDescriptorOwner(&descriptor, admins, FALSE);
    SetSecurityDescriptorGroup(&descriptor, system_sid, FALSE);
    SetSecurityDescriptorDacl(&descriptor, TRUE, acl, FALSE);
}

static void objects(void)
{
    struct nt_name name = NT_NAME(L"\\BaseNamedObjects\\ntstrace secured");
    struct nt_attributes a = NT_ATTRIBUTES(&name);
    HANDLE event;

    a.attributes = 0x40; /* OBJ_CASE_INSENSITIVE */
    a.security = &descriptor;
    a.quality = &quality;
    CHECK(NtCreateEvent(&event, EVENT_ALL_ACCESS, &a, 1, FALSE) == 0);
    expect("SEQ", tid,
           "NtCreateEvent(EventHandle=[0x%llx], DesiredAccess=EVENT_ALL_ACCESS,"
           " ObjectAttributes={ObjectName=\"\\BaseNamedObjects\\ntstrace "
           "secured\", Attributes=OBJ_CASE_INSENSITIVE, "
           "SecurityDescriptor={Control=SE_DACL_PRESENT, Owner=" ADMINS
           ", Group=" SYSTEM ", " DACL "}, "
           "SecurityQualityOfService=" QUALITY "}, "
           "EventType=SynchronizationEvent, InitialState=FALSE) = 0",
           u64_of(event));
    CHECK(NtQuerySecurityObject(event, 7, room, 1000, &got) == 0);
    expect("NEXT", tid,
           "NtQuerySecurityObject(Handle=0x%llx<\\BaseNamedObjects\\ntstrace "
           "secured>, SecurityInformation=" ALL_PARTS ", "
           "SecurityDescriptor={Control=SE_DACL_PRESENT|SE_SELF_RELATIVE, "
           "Owner=" ADMINS ", Group=" SYSTEM ", " DACL "}, Length=1000, "
           "LengthNeeded=[%lu]) = 0",
           u64_of(event), (unsigned long)got);
    CHECK(NtQuerySecurityObject(event, 7, room, 4, &got) ==
          (NTSTATUS)0xc0000023);
    expect("NEXT", tid,
           "NtQuerySecurityObject(Handle=0x%llx<\\BaseNamedObjects\\ntstrace "
           "secured>, SecurityInformation=" ALL_PARTS ", "
           "SecurityDescriptor=0x%llx, Length=4, LengthNeeded=[%lu]) = "
           "0xc0000023 STATUS_BUFFER_TOO_SMALL",
           u64_of(event), u64_of(room), (unsigned long)got);
    SetSecurityDescriptorDacl(&descriptor, TRUE, NULL, FALSE);
    CHECK(NtSetSecurityObject(event, 4, &descriptor) == 0);
    expect("NEXT", tid,
           "NtSetSecurityObject(Handle=0x%llx<\\BaseNamedObjects\\ntstrace "
           "secured>, SecurityInformation=DACL_SECURITY_INFORMATION, "
           "SecurityDescriptor={Control=SE_DACL_PRESENT, Owner=" ADMINS
           ", Group=" SYSTEM ", Dacl=NULL}) = 0",
           u64_of(event));
    SetSecurityDescriptorDacl(&descriptor, TRUE, acl, FALSE);
    NtClose(event);
}

/* "S-1-..." as it is told. */
static const char *sid_text(const void *sid)
{
    static char text[100];
    const uint8_t *b = sid;
    uint64_t authority = 0;
    size_t at;

    for (size_t i = 2; i < 8; i++) {
        authority = authority << 8 | b[i];
    }
    at = (size_t)snprintf(text, sizeof text, "S-%u-%llu", b[0],
                          (unsigned long long)authority);
    for (unsigned i = 0; i < b[1]; i++) {
        uint32_t part;

        memcpy(&part, b + 8 + 4 * i, 4);
        at += (size_t)snprintf(text + at, sizeof text - at, "-%lu",
                               (unsigned long)part);
    }
    return text;
}

static void tokens(void)
{
    struct {
        ULONG count;
        LUID_AND_ATTRIBUTES one[2];
    } new = { 2, { { { 23, 0 }, SE_PRIVILEGE_ENABLED }, { { 19, 0 }, 0 } } };
    struct {
        ULONG count, control;
        LUID_AND_ATTRIBUTES one[1];
    } required = { 1, 1, { { { 23, 0 }, 0 } } };
    struct nt_attributes a = NT_ATTRIBUTES(NULL);
    GENERIC_MAPPING mapping = { 1, 2, 4, 7 };
    HANDLE token, copy;
    TOKEN_GROUPS *groups = (TOKEN_GROUPS *)(void *)room;
    BOOLEAN has = 7;
    ULONG granted;
    NTSTATUS s, answer;

    a.quality = &quality;
    CHECK(NtOpenProcessToken(THIS_PROCESS, TOKEN_ALL_ACCESS, &token) == 0);
    CHECK(NtQueryInformationToken(token, TokenUser, room, sizeof room, &got) ==
          0);
    expect("SEQ", tid,
           "NtQueryInformationToken(TokenHandle=0x%llx<Token>, "
           "TokenInformationClass=TokenUser, TokenInformation={User={"
           "Sid=\"%s\", Attributes=0}}, TokenInformationLength=4096, "
           "ReturnLength=[%lu]) = 0",
           u64_of(token), sid_text(((TOKEN_USER *)(void *)room)->User.Sid),
           (unsigned long)got);
    CHECK(NtQueryInformationToken(token, TokenGroups, room, sizeof room,
                                  &got) == 0);
    expect("NEXT", tid,
           "NtQueryInformationToken(TokenHandle=0x%llx<Token>, "
           "TokenInformationClass=TokenGroups, TokenInformation={Groups=[{"
           "Sid=\"%s\", Attributes=*SE_GROUP_ENABLED*}, *]}, "
           "TokenInformationLength=4096, ReturnLength=[%lu]) = 0",
           u64_of(token), sid_text(groups->Groups[0].Sid), (unsigned long)got);
    CHECK(NtQueryInformationToken(token, TokenPrivileges, room, sizeof room,
                                  &got) == 0);
    expect("NEXT", tid,
           "NtQueryInformationToken(TokenHandle=0x%llx<Token>, "
           "TokenInformationClass=TokenPrivileges, "
           "TokenInformation={Privileges=[*{Luid=SE_CHANGE_NOTIFY_PRIVILEGE, "
           "Attributes=SE_PRIVILEGE_ENABLED_BY_DEFAULT|SE_PRIVILEGE_ENABLED}*]}"
           ", TokenInformationLength=4096, ReturnLength=[%lu]) = 0",
           u64_of(token), (unsigned long)got);
    CHECK(NtQueryInformationToken(token, TokenUser, room, 4, &got) ==
          (NTSTATUS)0xc0000023);
    expect("NEXT", tid,
           "NtQueryInformationToken(TokenHandle=0x%llx<Token>, "
           "TokenInformationClass=TokenUser, TokenInformation=0x%llx, "
           "TokenInformationLength=4, ReturnLength=[%lu]) = 0xc0000023 "
           "STATUS_BUFFER_TOO_SMALL",
           u64_of(token), u64_of(room), (unsigned long)got);

    s = NtAdjustPrivilegesToken(token, FALSE, &new, sizeof new, room, &got);
    CHECK(s >= 0 && got >= 4);
    expect("NEXT", tid,
           "NtAdjustPrivilegesToken(TokenHandle=0x%llx<Token>, "
           "DisableAllPrivileges=FALSE, NewState={Privileges=[{"
           "Luid=SE_CHANGE_NOTIFY_PRIVILEGE, Attributes=SE_PRIVILEGE_ENABLED}, "
           "{Luid=SE_SHUTDOWN_PRIVILEGE, Attributes=0}]}, BufferLength=28, "
           "PreviousState={Privileges=[*]}, ReturnLength=[%lu]) = %s",
           u64_of(token), (unsigned long)got, result_text(s));
    CHECK(NtPrivilegeCheck(token, &required, &has) == 0 && has == 1);
    expect("NEXT", tid,
           "NtPrivilegeCheck(ClientToken=0x%llx<Token>, RequiredPrivileges=[{"
           "Control=1, Privilege=[{Luid=SE_CHANGE_NOTIFY_PRIVILEGE, "
           "Attributes=0}]} => {Control=1, Privilege=[{"
           "Luid=SE_CHANGE_NOTIFY_PRIVILEGE, "
           "Attributes=SE_PRIVILEGE_USED_FOR_ACCESS}]}], Result=[TRUE]) = 0",
           u64_of(token));
    CHECK(NtDuplicateToken(token, TOKEN_QUERY | TOKEN_IMPERSONATE, &a, FALSE, 2,
                           &copy) == 0);
    expect("NEXT", tid,
           "NtDuplicateToken(ExistingTokenHandle=0x%llx<Token>, "
           "DesiredAccess=TOKEN_IMPERSONATE|TOKEN_QUERY, "
           "ObjectAttributes={ObjectName=NULL, Attributes=0, "
           "SecurityQualityOfService=" QUALITY "}, EffectiveOnly=FALSE, "
           "Type=TokenImpersonation, NewTokenHandle=[0x%llx]) = 0",
           u64_of(token), u64_of(copy));
    got = sizeof room;
    s = NtAccessCheck(&descriptor, copy, 2, &mapping, room, &got, &granted,
                      &answer);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtAccessCheck(SecurityDescriptor={Control=SE_DACL_PRESENT, "
           "Owner=" ADMINS ", Group=" SYSTEM ", " DACL_OF_ANY
           "}, ClientToken=0x%llx<Token>, "
           "DesiredAccess=0x2, GenericMapping={GenericRead=0x1, "
           "GenericWrite=0x2, GenericExecute=0x4, GenericAll=0x7}, "
           "PrivilegeSet=*, PrivilegeSetLength=[*], GrantedAccess=[0x%lx], "
           "AccessStatus=[%s]) = 0",
           u64_of(copy), (unsigned long)granted, result_text(answer));
    NtClose(copy);
    NtClose(token);
}

/* What goes in is told as what comes out is. */
static void filtered(void)
{
    struct {
        ULONG count;
        SID_AND_ATTRIBUTES one[2];
    } groups = { 2, { { NULL, 0 }, { system_sid, SE_GROUP_ENABLED } } };
    struct {
        ULONG count;
        LUID_AND_ATTRIBUTES one[1];
    } privileges = { 1, { { { 23, 0 }, 0 } } };
    TOKEN_DEFAULT_DACL dacl = { acl };
    TOKEN_OWNER owner = { system_sid };
    HANDLE token, copy = NULL;
    PSID admins;
    BOOL defaulted;
    NTSTATUS s;

    CHECK(GetSecurityDescriptorOwner(&descriptor, &admins, &defaulted));
    groups.one[0].Sid = admins;
    CHECK(NtOpenProcessToken(THIS_PROCESS, TOKEN_ALL_ACCESS, &token) == 0);
    CHECK(NtFilterToken(token, 0, &groups, &privileges, NULL, &copy) == 0);
    expect("SEQ", tid,
           "NtFilterToken(ExistingTokenHandle=0x%llx<Token>, Flags=0, "
           "SidsToDisable={Groups=[{Sid=" ADMINS ", Attributes=0}, "
           "{Sid=" SYSTEM ", Attributes=SE_GROUP_ENABLED}]}, "
           "PrivilegesToDelete={Privileges=[{Luid=SE_CHANGE_NOTIFY_PRIVILEGE, "
           "Attributes=0}]}, RestrictedSids=NULL, NewTokenHandle=[0x%llx]) = 0",
           u64_of(token), u64_of(copy));
    s = NtSetInformationToken(copy, TokenDefaultDacl, &dacl, sizeof dacl);
    expect("NEXT", tid,
           "NtSetInformationToken(TokenHandle=0x%llx<Token>, "
           "TokenInformationClass=TokenDefaultDacl, TokenInformation={"
           "Default" DACL_OF_ANY "}, TokenInformationLength=8) = %s",
           u64_of(copy), result_text(s));
    s = NtSetInformationToken(copy, TokenOwner, &owner, sizeof owner);
    expect("NEXT", tid,
           "NtSetInformationToken(TokenHandle=0x%llx<Token>, "
           "TokenInformationClass=TokenOwner, TokenInformation={"
           "Owner=" SYSTEM "}, TokenInformationLength=8) = %s",
           u64_of(copy), result_text(s));
    NtClose(copy);
    NtClose(token);
}

/* A PORT_MESSAGE with data. */
static struct {
    USHORT data_length, total_length, type, zero;
    ULONG_PTR process, thread;
    ULONG id;
    ULONG_PTR view;
    char data[16];
} message = { 12, 52, 0, 0, 0, 0, 0, 0, "hello, port" };

static void ports(void)
{
    typedef NTSTATUS NTAPI send_receive(HANDLE, ULONG, void *, void *, void *,
                                        SIZE_T *, void *, void *);
    send_receive *alpc;
    struct nt_name name = NT_NAME(L"\\ntstrace no such port");
    char text[10] = "connect";
    HANDLE port;
    ULONG size = 8;
    NTSTATUS s;

    s = NtConnectPort(&port, &name, &quality, NULL, NULL, NULL, text, &size);
    CHECK(s < 0);
    expect("SEQ", tid,
           "NtConnectPort(PortHandle=0x%llx, "
           "PortName=\"\\ntstrace no such port\", SecurityQos=" QUALITY ", "
           "ClientView=NULL, ServerView=NULL, MaxMessageLength=NULL, "
           "ConnectionInformation=b\"connect\\x00\", "
           "ConnectionInformationLength=[8]) = %s",
           u64_of(&port), result_text(s));
    s = NtRequestWaitReplyPort(BAD_HANDLE, &message, room);
    CHECK(s < 0);
    expect("NEXT", tid,
           "NtRequestWaitReplyPort(PortHandle=0xbad4, "
           "RequestMessage={DataLength=12, TotalLength=52, "
           "Data=b\"hello, port\\x00\"}, ReplyMessage=0x%llx) = %s",
           u64_of(room), result_text(s));
    message.type = 1;
    message.process = 4;
    message.thread = 8;
    message.id = 99;
    s = NtReplyWaitReceivePort(BAD_HANDLE, NULL, &message, room);
    CHECK(s < 0);
    expect("NEXT", tid,
           "NtReplyWaitReceivePort(PortHandle=0xbad4, PortContext=NULL, "
           "ReplyMessage={DataLength=12, TotalLength=52, Type=LPC_REQUEST, "
           "ClientId={UniqueProcess=4, UniqueThread=8}, MessageId=99, "
           "Data=b\"hello, port\\x00\"}, ReceiveMessage=0x%llx) = %s",
           u64_of(room), result_text(s));
    alpc = (send_receive *)(void *)GetProcAddress(GetModuleHandleA("ntdll"),
                                                  "NtAlpcSendWaitReceivePort");
    if (alpc == NULL) {
        say("skipped: no NtAlpcSendWaitReceivePort here\n");
        return;
    }
    s = alpc(BAD_HANDLE, 0, &message, NULL, NULL, NULL, NULL, NULL);
    CHECK(s < 0);
    expect("SEQ", tid,
           "NtAlpcSendWaitReceivePort(PortHandle=0xbad4, Flags=0, "
           "SendMessage={DataLength=12, TotalLength=52, Type=LPC_REQUEST, *, "
           "Data=b\"hello, port\\x00\"}, *) = %s",
           result_text(s));
}

int main(void)
{
    target_begin();
    tid = GetCurrentThreadId();
    prepare();
    objects();
    tokens();
    filtered();
    ports();
    return target_end();
}
