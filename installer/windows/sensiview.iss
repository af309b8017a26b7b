; Inno Setup: the installer for Windows, run by build.ps1, which defines Version, Program and Icon.
; Written with care, NOT YET TRIED.
#ifndef Version
  #error Run build.ps1, which hands over Version, Program and Icon
#endif

[Setup]
; Never change it: Windows knows the program by it, and an upgrade finds the older one.
AppId={{6C1B51C5-6E0C-4C0B-9C39-5B2E5A0F6B7D}
AppName=SensiView
AppVersion={#Version}
AppPublisher=The SensiView developers
DefaultDirName={autopf}\SensiView
DefaultGroupName=SensiView
DisableProgramGroupPage=yes
LicenseFile=..\..\LICENSE
OutputBaseFilename=SensiView-{#Version}-windows-x86_64
SetupIconFile={#Icon}
UninstallDisplayIcon={app}\sensiview.exe
Compression=lzma2/fast
; More than 2 GB of files in one installer.
DiskSpanning=no
LZMAUseSeparateProcess=yes
SolidCompression=no
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
; No administrator needed: the person who installs chooses between this user and everybody.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ChangesAssociations=yes
ChangesEnvironment=yes
; A running older version is named and closed by the person, not killed.
CloseApplications=yes
RestartApplications=no
WizardStyle=modern

[Files]
Source: "{#Program}\*"; DestDir: "{app}"; Flags: recursesubdirs createallsubdirs ignoreversion
Source: "{#Icon}"; DestDir: "{app}"; DestName: "sensiview.ico"

[InstallDelete]
; What an older version had and this one has not must not be found by it.
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{group}\SensiView"; Filename: "{app}\sensiview.exe"; IconFilename: "{app}\sensiview.ico"; AppUserModelID: "SensiView"
Name: "{group}\Uninstall SensiView"; Filename: "{uninstallexe}"

[Registry]
; The small file in each project folder opens the project.
Root: HKA; Subkey: "Software\Classes\.sensiview"; ValueType: string; ValueData: "SensiView.Project"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\SensiView.Project"; ValueType: string; ValueData: "SensiView project"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\SensiView.Project\DefaultIcon"; ValueType: string; ValueData: "{app}\sensiview.ico"
Root: HKA; Subkey: "Software\Classes\SensiView.Project\shell\open\command"; ValueType: string; ValueData: """{app}\sensiview.exe"" ""%1"""
; Folders whose name ends in .sensiview: an entry in the menu of the right button; opening them stays Explorer's.
Root: HKA; Subkey: "Software\Classes\Directory\shell\SensiView"; ValueType: string; ValueData: "Open with SensiView"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Directory\shell\SensiView"; ValueType: string; ValueName: "AppliesTo"; ValueData: "System.FileName:~>"".sensiview"""
Root: HKA; Subkey: "Software\Classes\Directory\shell\SensiView"; ValueType: string; ValueName: "Icon"; ValueData: "{app}\sensiview.ico"
Root: HKA; Subkey: "Software\Classes\Directory\shell\SensiView\command"; ValueType: string; ValueData: """{app}\sensiview.exe"" ""%1"""
Root: HKCU; Subkey: "Environment"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}"; Check: IsNotOnPath('{app}')

[Code]
function IsNotOnPath(Folder: string): Boolean;
var
  Paths: string;
begin
  if not RegQueryStringValue(HKEY_CURRENT_USER, 'Environment', 'Path', Paths) then
    Paths := '';
  Result := Pos(';' + Lowercase(ExpandConstant(Folder)) + ';', ';' + Lowercase(Paths) + ';') = 0;
end;

procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Paths, Folder: string;
begin
  { Projects, settings and plugins of users stay; of the search path only our own entry goes. }
  if Step = usPostUninstall then
    if RegQueryStringValue(HKEY_CURRENT_USER, 'Environment', 'Path', Paths) then
    begin
      Folder := ';' + ExpandConstant('{app}');
      StringChangeEx(Paths, Folder, '', True);
      RegWriteExpandStringValue(HKEY_CURRENT_USER, 'Environment', 'Path', Paths);
    end;
end;
