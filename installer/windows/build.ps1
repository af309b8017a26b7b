# Makes the installer for Windows: powershell -ExecutionPolicy Bypass -File installer\windows\build.ps1
#   dist\SensiView-VERSION-windows-x86_64.exe and its checksum
# Needs Python 3.11 to 3.13 from python.org and Inno Setup 6. Written with care, NOT YET TRIED.
$ErrorActionPreference = "Stop"
$root = (Resolve-Path (Join-Path $PSScriptRoot "..\..")).Path
$work = Join-Path $root "build\package"
$dist = Join-Path $root "dist"
New-Item -ItemType Directory -Force -Path $work, $dist | Out-Null
Start-Transcript -Path (Join-Path $dist "build.log") | Out-Null

function Invoke-Step([string] $what, [scriptblock] $command) {
    Write-Output "== $what"
    & $command
    if ($LASTEXITCODE -ne 0) { throw "$what failed ($LASTEXITCODE)." }
}

$python = Join-Path $work "environment\Scripts\python.exe"
if (-not (Test-Path $python)) {
    Invoke-Step "Environment" { py -3 -m venv (Join-Path $work "environment") }
}
foreach ($name in "requirements.txt", "requirements-build.txt", "requirements-package.txt") {
    Invoke-Step $name {
        & $python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r (Join-Path $root "installer\$name")
    }
}
# The time of the commit stands for every time in the package.
$env:SOURCE_DATE_EPOCH = (git -C $root log -1 --format=%ct)
$env:SENSIVIEW_ICONS = Join-Path $work "icons"
Invoke-Step "Icons" { & $python (Join-Path $root "installer\frozen\system_icons.py") $env:SENSIVIEW_ICONS }
Push-Location $root
$version = (& $python -m hatchling version | Select-Object -Last 1)
Pop-Location
Invoke-Step "Program" { & $python (Join-Path $root "installer\frozen\make.py") $work }

$compiler = Join-Path ${env:ProgramFiles(x86)} "Inno Setup 6\ISCC.exe"
if (-not (Test-Path $compiler)) { throw "Inno Setup 6 is not installed." }
Invoke-Step "Installer" {
    & $compiler "/DVersion=$version" "/DProgram=$work\program\sensiview" "/DIcon=$($env:SENSIVIEW_ICONS)\sensiview.ico" `
        "/O$dist" (Join-Path $PSScriptRoot "sensiview.iss")
}
Get-ChildItem $dist -Filter "SensiView-*.exe" | ForEach-Object {
    $sum = (Get-FileHash $_.FullName -Algorithm SHA256).Hash.ToLower()
    "$sum  $($_.Name)" | Out-File -Encoding ascii (Join-Path $dist "SHA256SUMS")
}
Stop-Transcript | Out-Null
