@echo off
rem SPDX-License-Identifier: MIT
rem
rem selftest.cmd - does ntstrace work on this Windows?
rem
rem Runs `ntstrace doctor`, then each test program of targets\list.txt
rem without and with the tracer, and compares. Leaves selftest.txt beside this
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
