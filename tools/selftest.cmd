@echo off
rem SPDX-License-Identifier: MIT
rem
rem selftest.cmd - does ntstrace work on this Windows?
rem
rem Traces two real programs and says in some lines what it found; runs
rem `ntstrace doctor`, then each test program of targets\list.txt without and
rem with the tracer, and compares. Leaves selftest.txt beside this
rem file (or in %TEMP% if it may not write here): attach that to a bug report.
rem It names Windows, the processor and the test programs, nobody's files.
rem
rem Needs no administrator and no network; takes some minutes. Security
rem software may object: docs\windows.md says why. The runs' own files are in
rem selftest.out, and go when all is well. Exit status 0 if nothing failed.

setlocal EnableExtensions
cd /d "%~dp0" || exit /b 2
set "place=%~dp0"
>"%place%selftest.txt" echo ntstrace selftest 2>nul
if not exist "%place%selftest.txt" set "place=%TEMP%\"
set "report=%place%selftest.txt"
set "out=%place%selftest.out"
>"%report%" echo ntstrace selftest
if not exist "%report%" (
    echo selftest: cannot write "%report%"
    exit /b 2
)
if exist "%out%" rd /s /q "%out%"
mkdir "%out%"
rem What most targets expect; the others see what users see.
set "numbers=--no-arg-names -e raw=all --no-decode-handles"
set passed=0
set failed=0
set number=0

call :system >>"%report%" 2>&1
echo Tracing cmd.exe and notepad.exe ...
>>"%report%" echo.
>>"%report%" echo == real programs
call :real_cmd
call :real_notepad
echo Checking what ntstrace relies on ...
>>"%report%" echo.
>>"%report%" echo == doctor
set "what=doctor"
.\ntstrace.exe doctor >>"%report%" 2>&1
if errorlevel 1 (
    call :bad
) else (
    call :good
)

>>"%report%" echo.
>>"%report%" echo == targets
for /f "usebackq tokens=1,2,3*" %%a in ("targets\list.txt") do (
    set "args=%%d"
    call :target %%a %%b
)

>>"%report%" echo.
>>"%report%" echo %passed% passed, %failed% failed
echo %passed% passed, %failed% failed
echo The report is in "%report%"
if not %failed%==0 (
    echo The traces of what failed are in "%out%"
    exit /b 1
)
rd /s /q "%out%"
exit /b 0

rem --- what this machine is ---------------------------------------------------

:system
ver
echo processor %PROCESSOR_ARCHITECTURE% %PROCESSOR_IDENTIFIER%
echo processors %NUMBER_OF_PROCESSORS%
for %%v in (ProductName DisplayVersion CurrentBuild UBR) do (
    reg query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v %%v
)
.\ntstrace.exe --version
exit /b 0

rem --- real programs -------------------------------------------------------------

rem What Windows has anyway. Both say how often a line of their trace has a
rem text: numbers, no lines, for those name what is on this machine.

:real_cmd
set "what=cmd.exe"
set "trace=%out%\cmd.trace"
.\ntstrace.exe --record="%out%\cmd.nts" -o "%trace%" cmd.exe /d /c type %SystemRoot%\win.ini >nul 2>"%out%\cmd.err"
set "said=%errorlevel%"
>>"%report%" echo cmd.exe: exit status %said%
call :lines "cmd.exe: calls" " = "
call :lines "cmd.exe: lines with its file" "win.ini"
if %lines%==0 set "said=no file"
call :lines "cmd.exe: lines of lost calls" "+++ lost"
if not %lines%==0 set "said=lost"
call :lines "cmd.exe: its exit" "+++ exited with 0 +++"
if not %lines%==1 set "said=no exit"
if "%said%"=="0" goto cmd_recorded
>>"%report%" type "%out%\cmd.err"
goto bad
rem What was recorded is shown as it was shown while it ran.
:cmd_recorded
call :good
set "what=recording"
.\ntstrace.exe info "%out%\cmd.nts" >>"%report%" 2>&1
.\ntstrace.exe replay -o "%out%\replay.trace" "%out%\cmd.nts" >>"%report%" 2>&1
if errorlevel 1 goto bad
targets\compare.exe --bytes "%trace%" "%out%\replay.trace" >>"%report%" 2>&1
if errorlevel 1 goto bad
goto good

rem Where there is no desktop, or another notepad than the old one, no window
rem comes; that is said, and is nobody's fault.
:real_notepad
set "what=notepad.exe"
set "trace=%out%\notepad.trace"
targets\closer.exe Notepad 30000 .\ntstrace.exe -o "%trace%" notepad.exe >nul 2>"%out%\notepad.err"
set "said=%errorlevel%"
find "no window came" "%out%\notepad.err" >nul
if errorlevel 1 goto notepad_closed
>>"%report%" echo notepad.exe: cannot tell, no window came
exit /b 0
:notepad_closed
>>"%report%" echo notepad.exe: exit status %said%
call :lines "notepad.exe: calls" " = "
call :lines "notepad.exe: windows made" "NtUserCreateWindowEx("
if %lines%==0 set "said=no window"
call :lines "notepad.exe: asked to close" "WM_CLOSE"
if %lines%==0 set "said=no message"
call :lines "notepad.exe: its exit" "+++ exited with 0 +++"
if not %lines%==1 set "said=no exit"
if "%said%"=="0" goto good
>>"%report%" type "%out%\notepad.err"
goto bad

rem Counts the lines of the trace that have a text, into %lines%: WHAT TEXT.
:lines
set lines=0
if exist "%trace%" for /f "delims=" %%l in ('find "%~2" ^<"%trace%"') do set /a lines+=1
>>"%report%" echo %~1: %lines%
exit /b 0

rem --- one target: NAME HOW, and %args% -----------------------------------------

:target
set /a number+=1
set "what=%1 %2 %args%"
set "o=%out%\%number%-%1"
echo %1 (%2) ...
call :%2 %1
if errorlevel 1 (
    call :bad
    call :show
) else (
    call :good
    del /q "%o%.*" >nul 2>&1
)
exit /b 0

rem Untraced and traced, and compared.
:both
set "show=%numbers%"
goto compared

:decoded
set "show="

:compared
call :untraced %1
if errorlevel 1 exit /b 1
targets\parent.exe -t 180 ntstrace.exe %show% -o "%o%.trace" targets\%1.exe %args% >"%o%.out" 2>"%o%.err"
targets\compare.exe "%o%.plain" "%o%.out" "%o%.trace" >"%o%.diff" 2>&1
exit /b %errorlevel%

:untraced
targets\parent.exe -t 180 targets\%1.exe %args% >"%o%.plain" 2>"%o%.err"
targets\compare.exe --plain "%o%.plain" >"%o%.diff" 2>&1
exit /b %errorlevel%

rem The same calls, whatever the engine.
:engines
targets\parent.exe -t 180 ntstrace.exe %numbers% -o "%o%.ring" targets\%1.exe >"%o%.out" 2>"%o%.err"
targets\parent.exe -t 180 ntstrace.exe %numbers% --no-patch -o "%o%.patch" targets\%1.exe >>"%o%.out" 2>>"%o%.err"
targets\parent.exe -t 180 ntstrace.exe %numbers% --engine=handshake -o "%o%.hand" targets\%1.exe >>"%o%.out" 2>>"%o%.err"
targets\compare.exe --same NtMakeTemporaryObject "%o%.ring" "%o%.patch" >"%o%.diff" 2>&1
if errorlevel 1 exit /b 1
targets\compare.exe --same NtMakeTemporaryObject "%o%.ring" "%o%.hand" >"%o%.diff" 2>&1
exit /b %errorlevel%

rem The line of each call is there soon.
:latency
targets\parent.exe -t 180 targets\latency.exe %args% ntstrace.exe %numbers% targets\%1.exe >"%o%.out" 2>"%o%.err"
targets\compare.exe --plain "%o%.out" >"%o%.diff" 2>&1
exit /b %errorlevel%

rem The target is ended from outside: what it had done is in the trace.
:killed
targets\parent.exe -t 180 targets\kill_target.exe %args% ntstrace.exe %numbers% -o "%o%.trace" targets\%1.exe >"%o%.out" 2>"%o%.err"
targets\compare.exe --plain "%o%.out" >"%o%.diff" 2>&1
if errorlevel 1 exit /b 1
targets\compare.exe - "%o%.out" "%o%.trace" >"%o%.diff" 2>&1
exit /b %errorlevel%

rem The tracer is ended from outside: the target runs on.
:orphaned
targets\parent.exe -t 180 targets\kill_tracer.exe %args% ntstrace.exe -o "%o%.trace" targets\%1.exe >"%o%.out" 2>"%o%.err"
targets\compare.exe --plain "%o%.out" >"%o%.diff" 2>&1
exit /b %errorlevel%

rem --- counting --------------------------------------------------------------------

:good
set /a passed+=1
>>"%report%" echo ok %what%
exit /b 0

:bad
set /a failed+=1
>>"%report%" echo FAILED %what%
echo FAILED %what%
exit /b 0

:show
for %%f in (diff err) do if exist "%o%.%%f" type "%o%.%%f" >>"%report%"
exit /b 0
